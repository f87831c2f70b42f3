// BERT: words between white space, every punctuation character (\p{P} and ASCII's symbols) a piece of its own.
#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {
namespace {

bool is_cut_out(const char* p, CharClass cls) {
  return is_punctuation(cls) || (cls == CharClass::symbol && static_cast<unsigned char>(*p) < 128);
}

struct BertScanner {
  const char* next(const char* p, const Scan& scan) const {
    ScannedChar c = scan.at(p);
    const char* q = p + c.length;
    if (is_space(c.cls)) return scan.run(q, is_space);
    if (is_cut_out(p, c.cls)) return q;
    for (;;) {
      q = scan.ascii_letters(q);
      if (q == scan.end()) return q;
      c = scan.at(q);
      if (is_space(c.cls) || is_cut_out(q, c.cls)) return q;
      q += c.length;
    }
  }
};

}  // namespace

Entry<PreTokenizer> bert_pretokenizer() {
  Entry<PreTokenizer> entry{{"bert", "words between white space, punctuation cut off one by one",
                             "Devlin et al., BERT: pre-training of deep bidirectional transformers, 2019"}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<BertScanner>>(R"({"type":"BertPreTokenizer"})",
                                                               PieceTraits{.drops_spaces = true});
  };
  return entry;
}

}  // namespace llmkit::tokenizer
