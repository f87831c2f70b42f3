// The family of cl100k (GPT-4), Llama 3 and Qwen 2, which differ in how many digits make a piece and in whether white
// space at the end of the text stays together (tiktoken's cl100k: \s+$ goes before \s*[\r\n]):
// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,MaxDigits}|
// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
#pragma once

#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {

enum class FinalSpaces { by_line, together };

template <int MaxDigits, FinalSpaces Final = FinalSpaces::by_line>
struct Cl100kScanner {
#if defined(__SSE2__)
  static BlockPieces words_of(const AsciiBlock& b) {
    uint64_t letters = b.letters();
    uint64_t before_word = b.spaces | b.tabs() | (b.rest() & ~b.apostrophes) | b.newlines;
    return {letters | (before_word & letters >> 1) | (b.rest() & b.spaces >> 1), ~letters | b.newlines << 1,
            ~uint64_t{0}};
  }
  static OtherBlockPieces others_of(const AsciiBlock& b) {
    uint64_t white = b.all_white(), before_letter = b.letters() >> 1;
    return {runs_with_newlines(b, (b.rest() & ~before_letter) | (b.spaces & b.rest() >> 1)),
            (white & white >> 1) | b.newlines | (b.tabs() & ~before_letter) | (b.spaces & b.digits >> 1), b.newlines,
            MaxDigits};
  }
#endif
  const char* next(const char* p, const Scan& scan) const {
    if (*p == '\'')
      if (const char* q = scan.any_case_contraction(p)) return q;
    ScannedChar c = scan.at(p);
    const char* after = p + c.length;
    if (is_letter(c.cls)) return scan.letters(after);
    if (is_number(c.cls)) return scan.numbers(after, MaxDigits - 1);
    bool newline = *p == '\n' || *p == '\r';
    if (!newline && after < scan.end()) {
      ScannedChar following = scan.at(after);
      if (is_letter(following.cls)) return scan.letters(after + following.length);
      if (*p == ' ' && is_rest(following.cls)) return scan.newlines(scan.rest(after + following.length));
    }
    if (is_rest(c.cls)) return scan.newlines(scan.rest(after));
    return scan.lines_or_spaces<Final == FinalSpaces::together>(p);
  }
};

}  // namespace llmkit::tokenizer
