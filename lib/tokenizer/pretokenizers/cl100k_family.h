// The family of cl100k (GPT-4), Llama 3 and Qwen 2, which differ in how many digits make a piece:
// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,MaxDigits}|
// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
#pragma once

#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {

template <int MaxDigits>
struct Cl100kScanner {
  const char* next(const char* p, const Scan& scan) const {
    if (*p == '\'')
      if (const char* q = scan.any_case_contraction(p)) return q;
    ScannedChar c = scan.at(p);
    const char* after = p + c.length;
    if (is_letter(c.cls)) return scan.letters(after);
    if (is_number(c.cls)) {
      for (int digits = 1; digits < MaxDigits && after < scan.end(); ++digits) {
        ScannedChar d = scan.at(after);
        if (!is_number(d.cls)) break;
        after += d.length;
      }
      return after;
    }
    bool newline = *p == '\n' || *p == '\r';
    if (!newline && after < scan.end()) {
      ScannedChar following = scan.at(after);
      if (is_letter(following.cls)) return scan.letters(after + following.length);
      if (*p == ' ' && is_rest(following.cls)) return scan.newlines(scan.rest(after + following.length));
    }
    if (is_rest(c.cls)) return scan.newlines(scan.rest(after));
    // White space: up to the last newline of the run if it has one.
    const char *last_newline = nullptr, *q = p;
    while (q < scan.end()) {
      ScannedChar s = scan.at(q);
      if (!is_space(s.cls)) break;
      if (*q == '\n' || *q == '\r') last_newline = q;
      q += s.length;
    }
    return last_newline ? last_newline + 1 : scan.spaces(p);
  }
};

}  // namespace llmkit::tokenizer
