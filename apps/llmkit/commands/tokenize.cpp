#include "command.h"
#include "commands/tokenize_actions.h"

namespace llmkit::cli {
namespace {

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
    o.boolean("--bos-eos", &encode_.encoding.add_special_tokens,
              "put the tokenizer's own special tokens around each text");
    o.boolean("--offsets", &encode_.offsets, "encode: also where each token stands, as pairs of byte offsets");
    o.real("--dropout", &encode_.encoding.sampling.dropout, "P",
           "encode: pass over BPE merges with this probability (Provilkov et al. 2020)", 0, 1);
    o.real("--alpha", &encode_.encoding.sampling.alpha, "A",
           "encode: draw a Unigram segmentation with probability ~ P^A (Kudo 2018); 0 = take the best", 0, 100);
    o.integer("--best", &encode_.best, "N", "encode: the N best Unigram segmentations, with their scores", 0, 1024);
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
    if (action == "convert") return convert_tokenizer(common, inputs);
    if (tokenizer_.empty()) throw UsageError("--tokenizer is missing");
    if (inputs.empty()) inputs = {"-"};
    if (action == "inspect") return inspect_tokens(common, {tokenizer_, token_, inputs, special_});
    auto tokenizer = tokenizer::Tokenizer::load(tokenizer_);
    if (encode_.best > 0 && tokenizer.parts().model != tokenizer::ModelKind::unigram)
      throw UsageError(ErrorParts{"--best needs a Unigram tokenizer", tokenizer_, {}, {}, {}});
    if (encode_.encoding.sampling.alpha > 0 && tokenizer.parts().model != tokenizer::ModelKind::unigram)
      throw UsageError(ErrorParts{"--alpha needs a Unigram tokenizer", tokenizer_, {}, {}, {}});
    if (encode_.encoding.sampling.dropout > 0 && tokenizer.parts().model != tokenizer::ModelKind::bpe)
      throw UsageError(ErrorParts{"--dropout needs a BPE tokenizer", tokenizer_, {}, {}, {}});
    if (action == "decode") return decode_ids(common, tokenizer, inputs);
    encode_.encoding.special = special_ ? tokenizer::SpecialText::parse : tokenizer::SpecialText::as_text;
    encode_.encoding.seed = context.seed;
    encode_.inputs = inputs;
    encode_.reader = reader_options();
    encode_.write = action == "encode";
    return encode_texts(context, common, tokenizer, encode_);
  }

 private:
  formats::DocumentReaderOptions reader_options() const {
    formats::DocumentReaderOptions options;
    options.keys = keys_;
    options.plain = plain_;
    options.text_files = lines_ ? formats::TextFiles::lines : formats::TextFiles::whole;
    return options;
  }

  std::vector<std::string> operands_;
  std::vector<std::string> on_;
  std::string tokenizer_, token_;
  uint64_t max_bytes_ = uint64_t{64} << 20;
  formats::DocumentKeys keys_;
  EncodeRequest encode_;
  bool special_ = false, plain_ = false, lines_ = false;
};

}  // namespace

std::unique_ptr<Command> make_tokenize() {
  return std::make_unique<Tokenize>();
}

}  // namespace llmkit::cli
