#include "clean/text_stats.h"

#include <unordered_set>

#include "text/utf8.h"

namespace llmkit::clean {

namespace {

// Word tokenizers for English keep "well-known", "and/or", "a.b" and "x=1" whole; ours cuts at each of these signs.
bool joins(const text::Word& w) {
  constexpr std::string_view kJoiners = "-/.=+*~\\";
  return w.kind == text::WordKind::symbol && w.text.size() == 1 && kJoiners.find(w.text[0]) != std::string_view::npos;
}

bool touches(const text::Word& a, const text::Word& b) {
  return a.text.data() + a.text.size() == b.text.data();
}
bool joinable(const text::Word& w) {
  return w.kind == text::WordKind::word || w.kind == text::WordKind::number;
}

void join_words(std::vector<text::Word>& words) {
  size_t kept = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    bool inner = kept > 0 && i + 1 < words.size() && joins(words[i]) && joinable(words[kept - 1]) &&
                 joinable(words[i + 1]) && touches(words[kept - 1], words[i]) && touches(words[i], words[i + 1]);
    if (!inner) {
      words[kept++] = words[i];
      continue;
    }
    text::Word& whole = words[kept - 1];
    const text::Word& next = words[++i];
    whole.text = {whole.text.data(), whole.text.size() + 1 + next.text.size()};
    whole.length += 1 + next.length;
    if (next.kind == text::WordKind::word) whole.kind = text::WordKind::word;
  }
  words.resize(kept);
}

}  // namespace

TextStats::TextStats(std::string_view source)
    : words(text::split_words(source)), characters(text::count_code_points(source)) {
  join_words(words);
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
