#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "base/json_writer.h"
#include "base/log.h"
#include "base/report.h"
#include "base/units.h"
#include "command.h"
#include "engine/monitor.h"
#include "io/files.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/train_estimate.h"

namespace llmkit::cli {
namespace {

using tokenizer::Training;

std::string count(int64_t n) {
  return format_count(static_cast<uint64_t>(n));
}

std::string number(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string needs(double seconds, double memory) {
  return format_seconds(seconds) + ", " + format_bytes(memory) + " of memory";
}

std::string shown(const tokenizer::TokenizerParts& parts, const std::string& token) {
  return printable(parts.symbols == tokenizer::TokenizerParts::Symbols::bytes ? tokenizer::spell_bytes(token) : token);
}

void add_merges(Report& report, const Training& t) {
  std::vector<std::vector<std::string>> rows;
  auto& parts = t.parts;
  for (size_t i = 0; i < parts.merges.size(); ++i) {
    if (i >= 30 && i + 20 < parts.merges.size()) continue;  // the first and the last
    auto token = [&](int32_t id) { return shown(parts, parts.tokens[static_cast<size_t>(id)]); };
    rows.push_back({count(static_cast<int64_t>(i + 1)), token(parts.merges[i].left), token(parts.merges[i].right),
                    token(parts.merges[i].result), format_count(t.merge_counts[i])});
  }
  report.heading("Merges, the first and the last");
  report.table({"rank", "left", "right", "token", "count"}, rows);
}

void add_counts_chart(Report& report, const Training& t) {
  Series series;
  series.name = "merged pairs";
  for (size_t i = 0; i < t.merge_counts.size(); i += 1 + i / 50) {
    series.x.push_back(static_cast<double>(i + 1));
    series.y.push_back(static_cast<double>(t.merge_counts[i]));
  }
  ChartOptions options;
  options.title = "How often the merged pairs stood in the text";
  options.x_label = "rank";
  options.y_label = "count";
  options.log_x = options.log_y = true;
  report.line_chart(options, {series});
}

void add_vocabulary(Report& report, const Training& t) {
  std::string sample;
  size_t step = std::max<size_t>(1, t.parts.tokens.size() / 400);
  for (size_t id = 0; id < t.parts.tokens.size(); id += step) sample += shown(t.parts, t.parts.tokens[id]) + "  ";
  report.heading("A sample of the vocabulary");
  report.paragraph("Every " + std::to_string(step) +
                   "th token; Ġ stands for a space, Ċ for a newline, other accented letters for bytes.");
  report.preformatted(sample);
}

void write_report(const std::string& path, const std::string& subtitle, const Training& t) {
  Report report("llmkit train-tokenizer", subtitle);
  auto& c = t.coverage;
  report.key_values(
      {{"documents", count(t.documents)},
       {"text", format_bytes(static_cast<double>(t.text_bytes))},
       {"pieces", format_count(t.pieces)},
       {"distinct pieces", format_count(t.distinct_pieces)},
       {"memory of the pieces", format_bytes(static_cast<double>(t.memory_bytes))},
       {"pieces on disk", format_bytes(static_cast<double>(t.runs_bytes))},
       {"tokens", count(static_cast<int64_t>(t.parts.tokens.size()))},
       {"bytes per token", number(c.bytes_per_token(), 3)},
       {"tokens per word", number(c.tokens_per_word(), 3)},
       {"vocabulary used",
        number(100.0 * static_cast<double>(c.tokens_used) / static_cast<double>(t.parts.tokens.size()), 1) + " %"},
       {"measured on", t.coverage_is_held_out ? "held-out text" : "a sample of the training text"}});
  report.heading("Tokens per character, by script");
  std::vector<std::vector<std::string>> rows;
  for (auto& s : c.scripts)
    rows.push_back({std::string(s.name), count(s.characters), number(s.tokens_per_character(), 3)});
  report.table({"script", "characters", "tokens per character"}, rows);
  if (!t.merge_counts.empty()) {
    add_counts_chart(report, t);
    add_merges(report, t);
  }
  add_vocabulary(report, t);
  io::write_file_atomically(path, report.html());
}

// Options that only some algorithms look at.
struct OfAlgorithms {
  std::string_view option;
  std::vector<std::string_view> algorithms;
};

const std::vector<OfAlgorithms>& options_of_algorithms() {
  static const std::vector<OfAlgorithms> all = {
      {"min-frequency", {"bbpe", "bpe", "wordpiece"}},
      {"max-token-bytes", {"bbpe", "bpe", "wordpiece"}},
      {"pretokenizer", {"bbpe", "wordpiece"}},
      {"whole-alphabet", {"bbpe"}},
      {"character-coverage", {"bpe", "wordpiece", "unigram"}},
      {"byte-fallback", {"bpe", "unigram"}},
      {"keep-apart", {"bbpe", "bpe", "wordpiece", "unigram"}},
      {"extend", {"bbpe"}},
      {"wordpiece-score", {"wordpiece"}},
      {"unigram-loss", {"unigram"}},
      {"unigram-seeds", {"unigram"}},
      {"max-piece-characters", {"unigram"}},
  };
  return all;
}

class TrainTokenizer : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "train-tokenizer",
        "Tokenizer",
        "learn a vocabulary from text",
        {"llmkit train-tokenizer docs.jsonl.zst --vocab-size 32768 -o tokenizer",
         "llmkit dedup docs.jsonl | llmkit train-tokenizer - --vocab-size 8192 --special '<|endoftext|>' -o tokenizer"},
        "Algorithms: bbpe, byte-level BPE (Sennrich et al. 2016, Radford et al. 2019), gives the merges of Hugging "
        "Face's "
        "BpeTrainer. bpe is the same on characters, with the mark of SentencePiece for spaces. wordpiece (Schuster and "
        "Nakajima 2012) chooses merges by frequency, as Hugging Face does, or by likelihood. unigram (Kudo 2018) "
        "follows "
        "SentencePiece. char makes a vocabulary of the characters seen. The result is a folder with tokenizer.json, "
        "which "
        "Hugging Face's tokenizers and transformers load with equal ids.\n\n"
        "Memory follows the number of distinct pieces (words), not the size of the corpus. With --memory, what does "
        "not fit is counted and kept on disk (in $TMPDIR), with the same result as without bound; only WordPiece by "
        "likelihood keeps its words in memory. The same text gives the same bytes for any --threads.",
        kUsesOutput | kUsesThreads | kUsesForce | kUsesJson | kUsesReport | kUsesManifest | kUsesMaxBad | kUsesMemory |
            kUsesGates,
        ""};
    return info;
  }

  void declare(Options& o) override {
    o.positional("IN", &inputs_, "JSONL or text files, also .gz and .zst, folders of them, or - for standard input", 1);
    o.choice("--algorithm", &options_.algorithm, {"bbpe", "bpe", "wordpiece", "unigram", "char"},
             "byte-level BPE, BPE on characters, WordPiece, Unigram, or one token a character");
    o.integer("--vocab-size", &options_.bpe.vocab_size, "N", "tokens, special ones and the 256 bytes included", 1,
              int64_t{1} << 24);
    o.integer("--min-frequency", &min_frequency_, "N", "least count of a pair to be merged", 0);
    o.integer("--max-token-bytes", &options_.bpe.max_token_bytes, "N", "no merge gives a token this long; 0 = any", 0);
    o.choice("--pretokenizer", &options_.bpe.pretokenizer, tokenizer::pretokenizers().names(),
             "how text is cut before merging (bbpe, wordpiece)");
    o.list("--special", &special_, "TOKEN",
           "special tokens, in the order of their ids; the first is the end of a text; '' = none (bbpe)");
    o.boolean("--whole-alphabet", &options_.bpe.whole_alphabet,
              "have all 256 bytes, so that any text can be encoded (bbpe)");
    o.list("--normalizer", &options_.normalizers, "SPEC",
           "applied to the text first, in this order (help normalizers)");
    o.real("--character-coverage", &options_.character_coverage, "X",
           "share of the text that the characters make up (bpe, wordpiece, unigram); the rest is unknown, or bytes",
           0.5, 1.0);
    o.boolean("--byte-fallback", &options_.byte_fallback, "spell unknown characters by bytes (bpe, unigram)");
    o.list("--keep-apart", &keep_apart_, "WHAT",
           "make no token of two scripts (scripts), of digits and others (digits)");
    o.text("--extend", &extend_, "TOKENIZER", "continue this byte-level tokenizer: its tokens and merges stay (bbpe)");
    o.choice("--wordpiece-score", &wordpiece_score_, {"frequency", "likelihood"},
             "what a WordPiece merge is chosen by");
    o.choice("--unigram-loss", &unigram_loss_, {"parts", "table"},
             "what dropping a piece costs; table: as SentencePiece up to 0.1.97 and Hugging Face have it");
    o.integer("--unigram-seeds", &options_.unigram_seeds, "N", "candidates at the start", 1000, 50'000'000);
    o.integer("--max-piece-characters", &options_.max_piece_characters, "N", "of a Unigram piece", 1, 31);
    o.group("Input");
    o.text("--text-key", &options_.reader.keys.text, "KEY", "member of a JSON line that holds the text");
    o.boolean("--plain", &options_.reader.plain, "inputs are plain text, whatever their names");
    o.boolean("--lines", &lines_, "a line of a text file is a document, instead of the whole file");
    o.list("--held-out", &options_.held_out, "FILE", "measure bytes per token on these, instead of a sample of IN");
    for (auto& option : o.all()) defaults_[option.name] = option.current();
  }

  ExitCode run(Context& context, const Common& common) override {
    check_options(*common.options);
    options_.bpe.min_frequency = static_cast<uint64_t>(min_frequency_);
    options_.bpe.special_tokens = special_tokens();
    options_.wordpiece_score =
        wordpiece_score_ == "likelihood" ? tokenizer::MergeScore::likelihood : tokenizer::MergeScore::frequency;
    options_.unigram_loss =
        unigram_loss_ == "table" ? tokenizer::UnigramLoss::of_table : tokenizer::UnigramLoss::of_parts;
    for (auto& what : keep_apart_) {
      if (what != "scripts" && what != "digits")
        throw UsageError("--keep-apart takes scripts or digits, not '" + what + "'");
      (what == "scripts" ? options_.bpe.limits.scripts : options_.bpe.limits.digits) = true;
    }
    if (options_.algorithm == "wordpiece" && options_.bpe.pretokenizer == "llama3") options_.bpe.pretokenizer = "bert";
    std::optional<tokenizer::Tokenizer> base;
    if (!extend_.empty()) {
      base.emplace(tokenizer::Tokenizer::load(extend_));
      options_.bpe.extend = &base->parts();
      options_.bpe.pretokenizer = base->parts().pretokenizer;
      options_.normalizers = base->parts().normalizers;
    }
    tokenizer::check_steps(options_);
    if (options_.algorithm == "bbpe" && (base || options_.bpe.whole_alphabet)) {  // known before the text is read
      tokenizer::TokenizerParts first = base ? base->parts() : tokenizer::TokenizerParts{};
      tokenizer::add_special_tokens(first, options_.bpe.special_tokens);
      check_room(static_cast<int64_t>(first.tokens.size()) + (base ? 0 : 256), *common.options);
    }
    warn_of_differences();
    options_.reader.text_files = lines_ ? formats::TextFiles::lines : formats::TextFiles::whole;
    if (common.output == "-") throw UsageError("--output needs the name of a folder");
    io::AtomicFolder folder(common.output, common.force);
    std::optional<tokenizer::TrainingEstimate> estimate;
    auto start = std::chrono::steady_clock::now();
    Training training = tokenizer::train_tokenizer(context, inputs_, options_, [&](auto& e) {
      estimate = e;
      log::info("estimated from the first " + format_bytes(static_cast<double>(e.sample_bytes)) + " of about " +
                format_bytes(static_cast<double>(e.text_bytes)) + " of text: " + format_count(e.distinct_pieces) +
                " distinct pieces, " + needs(e.seconds, static_cast<double>(e.memory_bytes)));
    });
    check_size(static_cast<int64_t>(training.parts.tokens.size()), *common.options);
    set_roles(training.parts);
    tokenizer::Tokenizer(training.parts).save(folder.work_path());
    folder.finish();
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    log::info(
        "measured: " + needs(seconds, engine::peak_resident_bytes()) +
        (estimate ? "; estimated: " + needs(estimate->seconds, static_cast<double>(estimate->memory_bytes)) : ""));
    if (!common.report.empty()) write_report(common.report, common.output, training);
    return common.finish(summary(training, common));
  }

 private:
  // Given, and not just as a dumped config has all the defaults.
  bool changed(const Options& options, std::string_view name) const {
    auto same = [&](const Option& o) { return o.name == name; };
    auto& all = options.all();
    auto option = std::find_if(all.begin(), all.end(), same);
    return option->is_set && option->current() != defaults_.at(option->name);
  }

  // What would be passed over in silence is refused.
  void check_options(const Options& options) const {
    for (auto& [option, algorithms] : options_of_algorithms()) {
      if (!changed(options, option)) continue;
      if (std::find(algorithms.begin(), algorithms.end(), options_.algorithm) != algorithms.end()) continue;
      std::string names;
      for (auto& name : algorithms) names += (names.empty() ? "" : ", ") + std::string(name);
      throw UsageError(ErrorParts{
          "--" + std::string(option) + " means nothing to --algorithm " + options_.algorithm, {}, names, {}, {}});
    }
    if (!extend_.empty())
      for (std::string_view option : {"pretokenizer", "normalizer", "whole-alphabet"})
        if (changed(options, option))
          throw UsageError("--" + std::string(option) + " does not go with --extend: it stays as " + extend_ +
                           " has it");
    bool empty = std::find(special_.begin(), special_.end(), "") != special_.end();
    if (empty && (special_.size() > 1 || options_.algorithm != "bbpe"))
      throw UsageError("--special '' means no special tokens, which only bbpe can do, and stands alone");
  }

  // Whether the characters of the text are all there is: then only a --vocab-size that was given is a limit.
  bool characters_only() const { return options_.algorithm == "char"; }

  // `tokens` are there whatever is learned.
  void check_room(int64_t tokens, const Options& options) const {
    if (tokens <= options_.bpe.vocab_size || (characters_only() && !changed(options, "vocab-size"))) return;
    throw UsageError(ErrorParts{"--vocab-size has no room for the special tokens and the first symbols",
                                {},
                                "at least " + std::to_string(tokens),
                                std::to_string(options_.bpe.vocab_size),
                                {}});
  }

  void check_size(int64_t tokens, const Options& options) const {
    check_room(tokens, options);
    if (tokens < options_.bpe.vocab_size && !characters_only())
      log::warning("the vocabulary has " + count(tokens) + " tokens instead of " + count(options_.bpe.vocab_size) +
                   ": the text gives no more");
  }

  // Where the file cannot say what is done here.
  void warn_of_differences() const {
    if (extend_.empty() && options_.algorithm == "bbpe" && options_.bpe.pretokenizer == "per-script")
      log::warning(
          "Hugging Face's UnicodeScripts drops spaces at the start of a text: such texts have other ids there");
    for (auto& text : options_.normalizers)
      if (parse_spec(text).name == "nmt-nfkc")
        log::warning("Hugging Face's nmt-nfkc takes \\r\\n for one character: texts with it have other ids there");
  }

  std::vector<std::string> special_tokens() const {
    if (!special_.empty()) return special_;
    if (!extend_.empty()) return {};
    if (options_.algorithm == "char") return {"<unk>"};
    if (options_.algorithm == "wordpiece") return {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    if (options_.algorithm == "bpe" || options_.algorithm == "unigram") return {"<unk>", "<s>", "</s>"};
    return {"<|endoftext|>", "<|pad|>", "<|im_start|>", "<|im_end|>"};
  }

  void set_roles(tokenizer::TokenizerParts& parts) const {
    auto has = [&](std::string_view name) {
      return std::any_of(parts.added.begin(), parts.added.end(), [&](auto& a) { return a.content == name; });
    };
    if (!extend_.empty()) return;
    if (has("<unk>")) parts.unk = "<unk>";
    if (has("[UNK]")) parts.unk = "[UNK]";
    if (has("[PAD]")) parts.pad = "[PAD]";
    if (has("[SEP]")) parts.eos = "[SEP]";
    if (has("</s>")) parts.eos = "</s>";
    if (has("<s>")) parts.bos = "<s>";
    if (has("<|pad|>")) parts.pad = "<|pad|>";
    for (auto& token : parts.added)
      if (parts.eos.empty() && token.content != parts.unk && token.content != parts.pad) parts.eos = token.content;
  }

  Summary summary(const Training& t, const Common& common) const {
    auto& c = t.coverage;
    std::string dearest;
    for (size_t i = 0; i < std::min<size_t>(3, c.scripts.size()); ++i)
      dearest +=
          (i ? ", " : "") + std::string(c.scripts[i].name) + " " + number(c.scripts[i].tokens_per_character(), 2);
    if (t.external.words > 0)
      log::info("beyond --memory: " + format_bytes(static_cast<double>(t.runs_bytes)) + " of pieces on disk, " +
                (t.external.file_bytes == 0
                     ? ""
                     : std::to_string(t.external.bands) + " bands and " + std::to_string(t.external.single_merges) +
                           " single merges over " + format_bytes(static_cast<double>(t.external.file_bytes)) + ", ") +
                std::to_string(t.external.passes) + " passes over words in memory");
    if (t.words_file_bytes > 0)
      log::info("beyond --memory: " + format_bytes(static_cast<double>(t.runs_bytes)) + " of pieces and " +
                format_bytes(static_cast<double>(t.words_file_bytes)) + " of words on disk");
    log::info(format_count(t.distinct_pieces) + " distinct of " + format_count(t.pieces) + " pieces (" +
              format_bytes(static_cast<double>(t.memory_bytes)) + "); " + number(c.bytes_per_token(), 3) +
              " bytes a token " +
              (t.coverage_is_held_out ? "on the held-out text" : "on a sample of the training text") +
              "; tokens a character: " + dearest);
    Summary s;
    s.written = common.output + ": " + count(static_cast<int64_t>(t.parts.tokens.size())) + " tokens";
    s.bad = static_cast<uint64_t>(t.bad.total());
    s.bad_examples = t.bad.first();
    s.kept = static_cast<uint64_t>(t.documents);
    s.in = s.kept + s.bad;
    s.bytes_in = t.text_bytes;
    s.metrics = {{"vocab_size", static_cast<double>(t.parts.tokens.size())},
                 {"merges", static_cast<double>(t.parts.merges.size())},
                 {"distinct_pieces", static_cast<double>(t.distinct_pieces)},
                 {"bytes_per_token", c.bytes_per_token()},
                 {"tokens_per_word", c.tokens_per_word()}};
    s.inputs = inputs_;
    s.outputs = {common.output};
    return s;
  }

  std::vector<std::string> inputs_, special_, keep_apart_;
  std::string extend_, wordpiece_score_ = "frequency", unigram_loss_ = "parts";
  tokenizer::TrainOptions options_;
  std::map<std::string, std::string> defaults_;  // of the options, as TOML
  int64_t min_frequency_ = 2;
  bool lines_ = false;
};

}  // namespace

std::unique_ptr<Command> make_train_tokenizer() {
  return std::make_unique<TrainTokenizer>();
}

}  // namespace llmkit::cli
