// \w+|[^\w\s]+ with white space as a mere separator (Hugging Face's "Whitespace").
#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {
namespace {

bool is_word_at(const char* p, const char* end, CharClass cls) {
  bool by_class = cls != CharClass::symbol && cls != CharClass::format;
  return is_word(by_class ? 0 : decode_utf8(p, end).code_point, cls);
}

struct WordsScanner {
  const char* next(const char* p, const Scan& scan) const {
    ScannedChar c = scan.at(p);
    const char* q = p + c.length;
    if (is_space(c.cls)) return scan.run(q, is_space);
    bool word = is_word_at(p, scan.end(), c.cls);
    while (q < scan.end()) {
      if (word) q = scan.ascii_letters(q);
      if (q == scan.end()) break;
      c = scan.at(q);
      if (is_space(c.cls) || is_word_at(q, scan.end(), c.cls) != word) break;
      q += c.length;
    }
    return q;
  }
};

}  // namespace

Entry<PreTokenizer> words_pretokenizer() {
  Entry<PreTokenizer> entry{{"words", "runs of word characters and runs of the rest; white space gets no tokens", ""}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<WordsScanner>>(R"({"type":"Whitespace"})",
                                                                PieceTraits{.drops_spaces = true});
  };
  return entry;
}

}  // namespace llmkit::tokenizer
