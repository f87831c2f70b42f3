#include "clean/text_stats.h"

#include <unordered_set>

#include "text/utf8.h"

namespace llmkit::clean {

TextStats::TextStats(std::string_view source) : words(text::split_words(source)), characters(text::count_code_points(source)) {
  uint64_t unspaced_words = 0;
  for (const text::Word& w : words) {
    if (w.kind == text::WordKind::symbol) {
      ++symbol_words;
      continue;
    }
    word_characters += w.length;
    alphabetic_words += w.kind != text::WordKind::number;
    unspaced_words += w.kind == text::WordKind::character;
  }
  unspaced = unspaced_words * 2 > words.size() - symbol_words;
}

std::vector<std::string_view> lines_of(std::string_view source, bool blank) {
  std::vector<std::string_view> lines;
  text::for_each_line(source, [&](std::string_view line) {
    if (blank || !text::trim(line).empty()) lines.push_back(line);
  });
  return lines;
}

Duplicates find_duplicates(const std::vector<std::string_view>& elements) {
  Duplicates d;
  std::unordered_set<std::string_view> seen;
  seen.reserve(elements.size());
  for (std::string_view e : elements) {
    if (seen.insert(e).second) continue;
    ++d.elements;
    d.characters += text::count_code_points(e);
  }
  return d;
}

}  // namespace llmkit::clean
