// Words and lines. The word rule is a small deterministic one, close to UAX #29: letters, marks and digits with inner
// apostrophes, dots and commas between digits, and hyphens not; each character of a script without spaces (Han, Kana,
// Thai, …) is a word of its own; a run of one punctuation character is a symbol.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace llmkit::text {

enum class WordKind : uint8_t { word, number, character, symbol };

struct Word {
  std::string_view text;
  WordKind kind;
  uint32_t length;  // code points
};

// Reads the next word at or after `position` and moves past it; false at the end.
bool next_word(std::string_view text, size_t& position, Word& word);
std::vector<Word> split_words(std::string_view text);

// Word boundaries by Unicode's default rules with ICU's dictionaries (slower): the pieces that are not white space.
std::vector<std::string_view> split_words_icu(std::string_view text);

std::string_view trim(std::string_view text);  // ASCII space and U+00A0, U+3000
// Calls f(line) for each line of `text`, without the line end.
template <class F>
void for_each_line(std::string_view text, F&& f) {
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string_view::npos) end = text.size();
    f(text.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace llmkit::text
