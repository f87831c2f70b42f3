// GPT-2: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {
namespace {

struct Gpt2Scanner {
#if defined(__SSE2__)
  static BlockPieces words_of(const AsciiBlock& b) {
    uint64_t letters = b.letters(), before_letter = letters >> 1;
    uint64_t single = (b.rest() & ~b.apostrophes) | b.newlines;  // before a letter
    return {letters | ((b.spaces | single) & before_letter) | (b.rest() & b.spaces >> 1), ~letters | single << 1,
            ~uint64_t{0}};
  }
  static OtherBlockPieces others_of(const AsciiBlock& b) {
    uint64_t white = b.all_white(), rest = b.rest();
    return {{(rest & ~(b.apostrophes & b.letters() >> 1)) | (b.spaces & rest >> 1), ~rest, ~uint64_t{0}},
            (white & white >> 1) | b.white,
            0,
            0};
  }
#endif
  const char* next(const char* p, const Scan& scan) const {
    if (*p == '\'')
      if (const char* q = scan.contraction(p)) return q;
    const char* start = p;
    if (*p == ' ' && p + 1 < scan.end()) ++start;
    ScannedChar c = scan.at(start);
    if (is_letter(c.cls)) return scan.letters(start + c.length);
    if (is_number(c.cls)) return scan.numbers(start + c.length);
    if (is_rest(c.cls)) return scan.rest(start + c.length);
    return scan.spaces(p);
  }
};

}  // namespace

Entry<PreTokenizer> gpt2_pretokenizer() {
  Entry<PreTokenizer> entry{{"gpt2", "words with their leading space, runs of digits, runs of the rest",
                             "Radford et al., Language models are unsupervised multitask learners, 2019"}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<Gpt2Scanner>>(LLMKIT_BYTE_LEVEL("true"));
  };
  return entry;
}

}  // namespace llmkit::tokenizer
