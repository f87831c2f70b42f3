// The pieces of which the scanners are made. A scanner is a struct with `const char* next(p, end)`, which returns the
// end of the piece that starts at p < end; ScanningPreTokenizer turns it into a PreTokenizer with one virtual call a
// batch.
#pragma once

#include "tokenizer/pretokenizer.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {

// Classes of the ASCII characters, so that the common case needs no decoding.
struct AsciiClasses {
  CharClass of[128];
};
const AsciiClasses& ascii_classes();

class Scan {
 public:
  explicit Scan(const char* end) : end_(end), ascii_(ascii_classes().of) {}

  ScannedChar at(const char* p) const {
    auto c = static_cast<unsigned char>(*p);
    return c < 128 ? ScannedChar{ascii_[c], 1} : scan_char(p, end_);
  }

  template <class Wanted>
  const char* run(const char* p, Wanted wanted) const {
    while (p < end_) {
      ScannedChar c = at(p);
      if (!wanted(c.cls)) break;
      p += c.length;
    }
    return p;
  }
  const char* letters(const char* p) const { return run(p, is_letter); }
  const char* numbers(const char* p) const { return run(p, is_number); }
  const char* rest(const char* p) const { return run(p, is_rest); }

  const char* newlines(const char* p) const {  // [\r\n]*
    while (p < end_ && (*p == '\n' || *p == '\r')) ++p;
    return p;
  }

  // \s+(?!\S)|\s+ at a space character: the run, less its last character when text follows (that one may open the next
  // piece), but never nothing.
  const char* spaces(const char* p) const {
    const char *last = p, *q = p;
    while (q < end_) {
      ScannedChar c = at(q);
      if (!is_space(c.cls)) return last > p ? last : q;
      last = q;
      q += c.length;
    }
    return q;
  }

  // The end of '(s|t|d|m|re|ve|ll) at an apostrophe p, or nullptr.
  const char* contraction(const char* p) const {
    if (end_ - p < 2) return nullptr;
    char a = p[1], b = end_ - p > 2 ? p[2] : '\0';
    if (a == 's' || a == 't' || a == 'd' || a == 'm') return p + 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? p + 3 : nullptr;
  }
  // The same without regard to case; U+017F (long s) folds to s.
  const char* any_case_contraction(const char* p) const {
    if (end_ - p < 2) return nullptr;
    if (p[1] == '\xC5' && end_ - p > 2 && p[2] == '\xBF') return p + 3;
    char a = static_cast<char>(p[1] | 0x20), b = end_ - p > 2 ? static_cast<char>(p[2] | 0x20) : '\0';
    if (a == 's' || a == 't' || a == 'd' || a == 'm') return p + 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? p + 3 : nullptr;
  }

  const char* end() const { return end_; }

 private:
  const char* end_;
  const CharClass* ascii_;
};

template <class Scanner>
class ScanningPreTokenizer : public PreTokenizer {
 public:
  explicit ScanningPreTokenizer(std::string_view json, Scanner scanner = {}) : json_(json), scanner_(scanner) {}

  size_t split(std::string_view text, size_t from, std::span<size_t> ends) const override {
    const char *begin = text.data(), *end = begin + text.size(), *p = begin + from;
    Scan scan(end);
    size_t count = 0;
    for (; p < end && count < ends.size(); ++count) {
      p = scanner_.next(p, scan);
      ends[count] = static_cast<size_t>(p - begin);
    }
    return count;
  }
  bool breaks_at_words() const override { return true; }
  std::string_view hugging_face_json() const override { return json_; }

 private:
  std::string_view json_;
  Scanner scanner_;
};

}  // namespace llmkit::tokenizer
