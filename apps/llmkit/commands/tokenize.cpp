#include <charconv>
#include <filesystem>
#include <functional>

#include "base/hash.h"
#include "base/json_writer.h"
#include "base/units.h"
#include "command.h"
#include "commands/tokenize_actions.h"
#include "formats/jsonl.h"
#include "io/input.h"
#include "io/line_reader.h"
#include "io/output.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_formats.h"

namespace llmkit::cli {
namespace {

// One batch of documents on its way through the pool.
struct Batch {
  formats::LineBatch lines;
  std::string out;              // output lines
  std::vector<size_t> refused;  // lines, with why
  std::vector<Refusal> refusals;
  uint64_t documents = 0, tokens = 0, bytes = 0;
};

class Tokenize : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "tokenize",
        "Tokenizer",
        "text to token ids and back; inspect, compare",
        {"llmkit tokenize encode docs.jsonl --tokenizer tokenizer -o ids.jsonl",
         "echo 'Hello world' | llmkit tokenize encode - --plain --lines --tokenizer tokenizer | llmkit tokenize decode "
         "- --tokenizer tokenizer",
         "llmkit tokenize inspect text.txt --tokenizer tokenizer",
         "llmkit tokenize compare tokenizer cl100k.json --on docs.jsonl --report report.html",
         "llmkit tokenize convert spm.model -o tokenizer"},
        "encode writes one JSON line a document, {\"id\": …, \"ids\": […]}; decode reads such lines, or lines of "
        "numbers, and "
        "writes the text; count prints documents, bytes, tokens and bytes per token. In a document the names of "
        "special "
        "tokens are ordinary text; --special parses them.\n\n"
        "inspect shows where the tokens of each line begin and end, in colour on a terminal, and with --token the "
        "merges that make a token. compare takes several tokenizers and prints how they fit the texts of --on: bytes "
        "per token, tokens per word of each language, Renyi efficiency (Zouhar et al. 2023), the vocabulary that is "
        "used, the worst covered scripts and the speed of one thread; --report draws it.\n\n"
        "convert writes a tokenizer in the format that the output's name asks for: NAME.json (tokenizer.json), "
        "vocab.json "
        "(merges.txt beside it), vocab.txt, NAME.tiktoken, NAME.model (SentencePiece), NAME.gguf, or a folder. All of "
        "these are read, too. What the format cannot say is an error.",
        kUsesStream | kUsesSeed};
    return info;
  }

  void declare(Options& o) override {
    o.positional(
        "ACTION IN", &operands_,
        "encode, decode, count or inspect, then JSONL or text files, or -; compare or convert, then tokenizers", 1);
    o.text("--tokenizer", &tokenizer_, "DIR", "folder, file of any format that convert knows, or byte");
    o.boolean("--special", &special_, "parse the names of special tokens in the text");
    o.boolean("--bos-eos", &around_, "put the tokenizer's own special tokens around each text");
    o.boolean("--offsets", &offsets_, "encode: also where each token stands, as pairs of byte offsets");
    o.real("--dropout", &sampling_.dropout, "P",
           "encode: pass over BPE merges with this probability (Provilkov et al. 2020)", 0, 1);
    o.real("--alpha", &sampling_.alpha, "A",
           "encode: draw a Unigram segmentation with probability ~ P^A (Kudo 2018); 0 = take the best", 0, 100);
    o.integer("--best", &best_, "N", "encode: the N best Unigram segmentations, with their scores", 0, 1024);
    o.boolean("--plain", &plain_, "inputs are plain text, whatever their names");
    o.boolean("--lines", &lines_, "a line of a text file is a document, instead of the whole file");
    o.text("--token", &token_, "TEXT", "inspect: this token, by its text or id, instead of a text");
    o.list("--on", &on_, "FILE", "compare: the texts, JSONL or text files");
    o.size("--max-bytes", &max_bytes_, "compare: look at no more text than this");
    o.text("--text-key", &keys_.text, "KEY", "member of a JSON line that holds the text");
  }

  ExitCode run(Context& context, const Common& common) override {
    std::string action = operands_.front();
    std::vector<std::string> inputs(operands_.begin() + 1, operands_.end());
    if (action == "compare") {
      if (inputs.empty()) throw UsageError("compare needs tokenizers: llmkit tokenize compare A B --on docs.jsonl");
      if (on_.empty()) throw UsageError("compare needs texts: --on FILE");
      return compare_tokenizers(context, common, {inputs, on_, reader_options(), max_bytes_});
    }
    if (action != "encode" && action != "decode" && action != "count" && action != "inspect" && action != "convert")
      throw UsageError(ErrorParts{
          "unknown action of tokenize", {}, "encode, decode, count, inspect, compare or convert", action, {}});
    if (!common.report.empty()) throw UsageError("--report is for compare");
    if (action == "convert") return convert(common, inputs);
    if (tokenizer_.empty()) throw UsageError("--tokenizer is missing");
    if (inputs.empty()) inputs = {"-"};
    if (action == "inspect") return inspect_tokens(common, {tokenizer_, token_, inputs, special_});
    auto tokenizer = tokenizer::Tokenizer::load(tokenizer_);
    if (best_ > 0 && tokenizer.parts().model != tokenizer::ModelKind::unigram)
      throw UsageError(ErrorParts{"--best needs a Unigram tokenizer", tokenizer_, {}, {}, {}});
    seed_ = context.seed;
    if (action == "encode" || action == "count")
      return read_text(context, common, tokenizer, inputs, action == "encode");
    return decode(common, tokenizer, inputs);
  }

 private:
  static ExitCode convert(const Common& common, const std::vector<std::string>& inputs) {
    if (inputs.size() != 1 || common.output == "-")
      throw UsageError("convert takes one tokenizer and a name: llmkit tokenize convert spm.model -o tokenizer");
    if (!common.force && std::filesystem::exists(common.output))
      throw Error(ErrorParts{"there is something already", common.output, {}, {}, "--force replaces it"});
    auto tokenizer = tokenizer::Tokenizer::load(inputs[0]);  // what it says is checked before anything is written
    tokenizer::write_tokenizer(tokenizer.parts(), common.output);
    Summary s;
    s.written = common.output + ": " + format_count(static_cast<uint64_t>(tokenizer.vocab_size())) + " tokens";
    s.inputs = inputs;
    s.outputs = {common.output};
    return common.finish(s);
  }

  formats::DocumentReaderOptions reader_options() const {
    formats::DocumentReaderOptions options;
    options.keys = keys_;
    options.plain = plain_;
    options.text_files = lines_ ? formats::TextFiles::lines : formats::TextFiles::whole;
    return options;
  }

  void add_best(JsonWriter& w, const tokenizer::Tokenizer& tokenizer, std::string_view text) const {
    w.key("best").begin_array();
    for (auto& one : tokenizer.encode_best(text, static_cast<int>(best_))) {
      w.begin_object().member("score", one.score).key("ids").begin_array();
      for (int32_t id : one.ids) w.value(id);
      w.end_array().end_object();
    }
    w.end_array();
  }

  void work_on(const tokenizer::Tokenizer& tokenizer, const formats::DocumentReader& reader, bool write,
               Batch& batch) const {
    tokenizer::EncodeOptions options{
        .special = special_ ? tokenizer::SpecialText::parse : tokenizer::SpecialText::as_text,
        .add_special_tokens = around_,
        .sampling = sampling_,
        .seed = seed_};
    std::vector<int32_t> ids;
    std::vector<tokenizer::Span> spans;
    for (size_t i = 0; i < batch.lines.lines.size(); ++i) {
      auto document = reader.parse(batch.lines, i);
      if (!document) {
        batch.refused.push_back(i);
        batch.refusals.push_back(document.refusal());
        continue;
      }
      ids.clear();
      spans.clear();
      // The draws of a document depend on it and the seed alone, not on its place or the threads.
      if (sampling_.on()) options.document = xxh3_64(document->id.empty() ? document->text : document->id);
      if (offsets_)
        tokenizer.encode(document->text, ids, spans, options);
      else
        tokenizer.encode(document->text, ids, options);
      ++batch.documents;
      batch.tokens += ids.size();
      batch.bytes += document->text.size();
      if (!write) continue;
      JsonWriter w(batch.out);
      w.begin_object();
      if (!document->id.empty()) w.member("id", document->id);
      w.key("ids").begin_array();
      for (int32_t id : ids) w.value(id);
      w.end_array();
      if (offsets_) {
        w.key("offsets").begin_array();
        for (auto& span : spans) w.begin_array().value(span.begin).value(span.end).end_array();
        w.end_array();
      }
      if (best_ > 0) add_best(w, tokenizer, document->text);
      w.end_object();
      batch.out += '\n';
    }
  }

  ExitCode read_text(Context& context, const Common& common, const tokenizer::Tokenizer& tokenizer,
                     const std::vector<std::string>& inputs, bool write) const {
    formats::DocumentReader reader(inputs, reader_options());
    auto out = write ? io::create_output(common.output, {.replace = common.force}) : nullptr;
    Summary s;
    uint64_t tokens = 0;
    context.parallel.pipeline<Batch>(
        16,
        [&](Batch& batch) {
          s.interrupted = context.stop.requested();
          context.progress.update(static_cast<double>(reader.bytes_in()), static_cast<double>(reader.total_bytes_in()),
                                  "bytes", "");
          return !s.interrupted && reader.next_batch(batch.lines);
        },
        [&](Batch& batch) { work_on(tokenizer, reader, write, batch); },
        [&](Batch& batch) {
          for (size_t i = 0; i < batch.refused.size(); ++i)
            reader.refuse(batch.lines, batch.refused[i], batch.refusals[i]);
          if (out) out->write(batch.out);
          s.kept += batch.documents;
          s.bytes_in += batch.bytes;
          tokens += batch.tokens;
        });
    if (out && !s.interrupted) out->finish();
    s.bad = static_cast<uint64_t>(reader.bad().total());
    s.bad_examples = reader.bad().first();
    s.in = s.kept + s.bad;
    double per_token = tokens ? static_cast<double>(s.bytes_in) / static_cast<double>(tokens) : 0;
    s.metrics = {{"tokens", static_cast<double>(tokens)}, {"bytes_per_token", per_token}};
    char line[64];
    std::snprintf(line, sizeof line, " tokens, %.3f bytes each", per_token);
    s.written = (write ? common.output + ": " : std::string()) + format_count(tokens) + line;
    s.inputs = inputs;
    if (write) s.outputs = {common.output};
    return common.finish(s);
  }

  // The numbers of {"ids": [1, 2]} or of a plain line "1 2"; nothing else on the line is looked at.
  static bool parse_ids(std::string_view line, std::vector<int32_t>& ids) {
    if (size_t at = line.find("\"ids\""); at != std::string_view::npos) line = line.substr(line.find('[', at) + 1);
    ids.clear();
    for (const char *p = line.data(), *end = p + line.size(); p < end && *p != ']';) {
      if (*p == ' ' || *p == ',' || *p == '[' || *p == '\t') {
        ++p;
        continue;
      }
      int32_t id = 0;
      auto [next, error] = std::from_chars(p, end, id);
      if (error != std::errc()) return false;
      ids.push_back(id);
      p = next;
    }
    return true;
  }

  ExitCode decode(const Common& common, const tokenizer::Tokenizer& tokenizer,
                  const std::vector<std::string>& inputs) const {
    auto out = io::create_output(common.output, {.replace = common.force});
    Summary s;
    std::vector<int32_t> ids;
    for (auto& input : inputs) {
      auto stream = io::open_input(input);
      io::LineReader reader(*stream);
      for (std::string_view line; reader.next(line);) {
        if (line.empty()) continue;
        ++s.in;
        if (!parse_ids(line, ids)) {
          ++s.bad;
          if (s.bad_examples.size() < 10)
            s.bad_examples.push_back(input + ":" + std::to_string(reader.line_number()) + ": no token ids");
          continue;
        }
        ++s.kept;
        out->write(tokenizer.decode(ids) + "\n");
      }
    }
    out->finish();
    s.written = common.output;
    s.inputs = inputs;
    s.outputs = {common.output};
    return common.finish(s);
  }

  std::vector<std::string> operands_;
  std::vector<std::string> on_;
  std::string tokenizer_, token_;
  uint64_t max_bytes_ = uint64_t{64} << 20;
  formats::DocumentKeys keys_;
  tokenizer::Sampling sampling_;
  uint64_t seed_ = 0;
  int64_t best_ = 0;
  bool offsets_ = false;
  bool special_ = false, around_ = false, plain_ = false, lines_ = false;
};

}  // namespace

std::unique_ptr<Command> make_tokenize() {
  return std::make_unique<Tokenize>();
}

}  // namespace llmkit::cli
