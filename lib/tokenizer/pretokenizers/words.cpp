// \w+|[^\w\s]+ with white space as a mere separator (Hugging Face's "Whitespace").
#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {
namespace {

// \w is Alphabetic, M, Nd, Pc and Join_Control (UTS 18, annex C): the classes below, and a few symbols and formats.
constexpr ClassSet kWord =
    is_letter | is_mark | ClassSet{CharClass::decimal, CharClass::letter_number, CharClass::connector};

bool is_word(const char* p, const char* end, CharClass cls) {
  if (cls != CharClass::symbol && cls != CharClass::format) return kWord(cls);
  uint32_t c = decode_utf8(p, end).code_point;
  return c == 0x200C || c == 0x200D || (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
         (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
}

struct WordsScanner {
  const char* next(const char* p, const Scan& scan) const {
    ScannedChar c = scan.at(p);
    const char* q = p + c.length;
    if (is_space(c.cls)) return scan.run(q, is_space);
    bool word = is_word(p, scan.end(), c.cls);
    while (q < scan.end()) {
      if (word) q = scan.ascii_letters(q);
      if (q == scan.end()) break;
      c = scan.at(q);
      if (is_space(c.cls) || is_word(q, scan.end(), c.cls) != word) break;
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
