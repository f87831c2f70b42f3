// Text as near-duplicate search sees it: lower case, diacritics stripped (NFD without Mn), every run of digits one "0",
// everything that is neither letter, mark nor number a space. It follows FineWeb's `simplify_text`
// (huggingface/datatrove: utils/text.py) with two departures: punctuation and symbols separate words instead of
// vanishing ("well-known" = "well known"), and characters of scripts written without spaces (Han, kana, Thai, Lao,
// Khmer, Myanmar, Tibetan) are words of their own, so that a word n-gram is a character n-gram there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmkit::dedup {

// What each code point turns into. Building it asks ICU about 131,072 code points (a few milliseconds): make one per
// run.
class FoldTable {
 public:
  enum Kind : uint8_t { separator, letter, digit, alone, dropped, hangul };
  FoldTable();

  Kind kind(char32_t c) const { return static_cast<Kind>(entry(c) >> 24); }
  char32_t folded(char32_t c) const { return entry(c) & 0xFFFFFF; }

 private:
  uint32_t entry(char32_t c) const { return c < entries_.size() ? entries_[c] : uint32_t{alone} << 24 | c; }
  std::vector<uint32_t> entries_;  // kind << 24 | folded code point
};

struct Normalized {
  std::string text;          // words separated by one or more spaces, then at least kPadding spaces
  size_t length = 0;         // of the text without the padding
  uint64_t digits_hash = 0;  // the digits that became "0": lets an exact comparison tell "page 1" from "page 2"
  static constexpr size_t kPadding = 80;
};

// Reuses the memory of `out`. Invalid UTF-8 bytes separate words.
void normalize(std::string_view text, const FoldTable& table, Normalized& out);

}  // namespace llmkit::dedup
