// Words, lines and paragraphs of a text, as the published filters count them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/segment.h"

namespace llmkit::clean {

// Words are those of text/segment.h, punctuation runs included (as in datatrove). In a text mostly of a script without
// spaces (Chinese, Japanese, Thai, …) each character is an entry of `words`, and word_count() takes two for a word.
struct TextStats {
  explicit TextStats(std::string_view text);

  std::vector<text::Word> words;
  uint64_t characters = 0;        // code points
  uint64_t symbol_words = 0;      // entries that are punctuation only
  uint64_t alphabetic_words = 0;  // entries with a letter
  uint64_t word_characters = 0;   // code points of the entries that are not symbols
  bool unspaced = false;

  // Entries, in words: punctuation counts, two characters of an unspaced text are one.
  double word_count() const { return static_cast<double>(words.size()) / (unspaced ? 2 : 1); }
  double plain_word_count() const { return static_cast<double>(words.size() - symbol_words) / (unspaced ? 2 : 1); }
};

// The lines of `text`, with or without those that are blank.
std::vector<std::string_view> lines_of(std::string_view text, bool blank);

// Elements that occurred before, and their code points.
struct Duplicates {
  uint64_t elements = 0;
  uint64_t characters = 0;
};
Duplicates find_duplicates(const std::vector<std::string_view>& elements);

}  // namespace llmkit::clean
