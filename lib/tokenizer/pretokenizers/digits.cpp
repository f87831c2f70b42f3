// As gpt2 after every digit has been cut off as a piece of its own (StarCoder, SmolLM).
#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {
namespace {

struct DigitsScanner {
  const char* next(const char* p, const Scan& scan) const {
    ScannedChar first = scan.at(p);
    if (is_number(first.cls)) return p + first.length;
    if (*p == '\'')
      if (const char* q = scan.contraction(p)) return q;
    const char* start = p;
    if (*p == ' ' && p + 1 < scan.end()) ++start;
    ScannedChar c = scan.at(start);
    if (is_letter(c.cls)) return scan.letters(start + c.length);
    if (is_rest(c.cls)) return scan.rest(start + c.length);
    // Spaces before a digit end their segment, so none is given back.
    const char *last = p, *q = p;
    while (q < scan.end()) {
      ScannedChar s = scan.at(q);
      if (is_number(s.cls)) return q;
      if (!is_space(s.cls)) return last > p ? last : q;
      last = q;
      q += s.length;
    }
    return q;
  }
};

}  // namespace

Entry<PreTokenizer> digits_pretokenizer() {
  Entry<PreTokenizer> entry{{"digits", "as gpt2, with every digit a piece of its own (StarCoder, SmolLM)",
                             "Li et al., StarCoder: may the source be with you, 2023"}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<DigitsScanner>>(
        R"({"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},)" LLMKIT_BYTE_LEVEL(
            "true") "]}");
  };
  return entry;
}

}  // namespace llmkit::tokenizer
