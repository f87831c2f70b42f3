#include "tokenizer/coverage.h"

#include <algorithm>
#include <array>

#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

struct Range {
  uint32_t first, last;
  std::string_view name;
};

// The blocks of the scripts that web text is written in; the rest is told by class.
constexpr std::array kBlocks{
    Range{0x0041, 0x024F, "Latin"},      Range{0x0370, 0x03FF, "Greek"},    Range{0x0400, 0x052F, "Cyrillic"},
    Range{0x0530, 0x058F, "Armenian"},   Range{0x0590, 0x05FF, "Hebrew"},   Range{0x0600, 0x077F, "Arabic"},
    Range{0x0900, 0x097F, "Devanagari"}, Range{0x0980, 0x09FF, "Bengali"},  Range{0x0B80, 0x0BFF, "Tamil"},
    Range{0x0E00, 0x0E7F, "Thai"},       Range{0x10A0, 0x10FF, "Georgian"}, Range{0x1200, 0x139F, "Ethiopic"},
    Range{0x1E00, 0x1EFF, "Latin"},      Range{0x1F00, 0x1FFF, "Greek"},    Range{0x3040, 0x30FF, "Kana"},
    Range{0x3400, 0x4DBF, "Han"},        Range{0x4E00, 0x9FFF, "Han"},      Range{0xAC00, 0xD7AF, "Hangul"},
    Range{0x20000, 0x3134F, "Han"}};

constexpr std::array<std::string_view, 19> kNames{"Latin",
                                                  "Greek",
                                                  "Cyrillic",
                                                  "Armenian",
                                                  "Hebrew",
                                                  "Arabic",
                                                  "Devanagari",
                                                  "Bengali",
                                                  "Tamil",
                                                  "Thai",
                                                  "Georgian",
                                                  "Ethiopic",
                                                  "Kana",
                                                  "Han",
                                                  "Hangul",
                                                  "other letters",
                                                  "digits",
                                                  "white space",
                                                  "punctuation and symbols"};

size_t index_of(std::string_view name) {
  return static_cast<size_t>(std::find(kNames.begin(), kNames.end(), name) - kNames.begin());
}

size_t script_of(uint32_t code_point) {
  if (code_point == 0xFFFFFFFF) return index_of("punctuation and symbols");
  CharClass c = class_of(code_point);
  if (is_space(c)) return index_of("white space");
  if (is_number(c)) return index_of("digits");
  if (!is_letter(c) && !is_mark(c)) return index_of("punctuation and symbols");
  for (auto& block : kBlocks)
    if (code_point >= block.first && code_point <= block.last) return index_of(block.name);
  return index_of("other letters");
}

struct Tally {
  Coverage sums;
  std::array<ScriptCoverage, kNames.size()> scripts{};
  std::vector<bool> used;
};

// Walks text and tokens together: each byte knows its script, each token shares itself among the bytes it covers. A
// character counts where it starts.
void add_text(const Tokenizer& tokenizer, std::string_view text, Tally& tally) {
  std::vector<int32_t> ids;
  tokenizer.encode(text, ids);
  std::vector<uint8_t> script(text.size());
  bool in_word = false;
  for (size_t i = 0; i < text.size();) {
    Utf8Char c = decode_utf8(text.data() + i, text.data() + text.size());
    size_t s = script_of(c.code_point);
    std::fill_n(script.begin() + static_cast<std::ptrdiff_t>(i), c.length, static_cast<uint8_t>(s));
    ++tally.scripts[s].characters;
    bool space = kNames[s] == "white space";
    tally.sums.words += !space && !in_word;
    in_word = !space;
    i += c.length;
  }
  size_t at = 0;
  for (int32_t id : ids) {
    size_t size = tokenizer.bytes(id).size(), end = std::min(at + size, text.size());
    for (size_t i = at; i < end; ++i) tally.scripts[script[i]].tokens += 1.0 / static_cast<double>(size);
    at = end;
    tally.used[static_cast<size_t>(id)] = true;
  }
  tally.sums.bytes += static_cast<int64_t>(text.size());
  tally.sums.tokens += static_cast<int64_t>(ids.size());
}

}  // namespace

Coverage measure_coverage(Parallel& parallel, const Tokenizer& tokenizer, std::span<const std::string_view> texts) {
  constexpr int64_t kTile = 64;
  auto count = static_cast<int64_t>(texts.size());
  std::vector<Tally> tallies(static_cast<size_t>((count + kTile - 1) / kTile));
  parallel.for_ranges(count, kTile, [&](int64_t begin, int64_t end) {
    Tally& tally = tallies[static_cast<size_t>(begin / kTile)];
    tally.used.resize(static_cast<size_t>(tokenizer.vocab_size()));
    for (int64_t i = begin; i < end; ++i) add_text(tokenizer, texts[static_cast<size_t>(i)], tally);
  });
  Coverage out;
  std::vector<ScriptCoverage> scripts(kNames.size());
  std::vector<bool> used(static_cast<size_t>(tokenizer.vocab_size()));
  for (auto& tally : tallies) {
    out.bytes += tally.sums.bytes;
    out.tokens += tally.sums.tokens;
    out.words += tally.sums.words;
    for (size_t s = 0; s < scripts.size(); ++s) {
      scripts[s].characters += tally.scripts[s].characters;
      scripts[s].tokens += tally.scripts[s].tokens;
    }
    for (size_t id = 0; id < used.size(); ++id) used[id] = used[id] || tally.used[id];
  }
  out.tokens_used = std::count(used.begin(), used.end(), true);
  for (size_t s = 0; s < scripts.size(); ++s) {
    scripts[s].name = kNames[s];
    if (scripts[s].characters) out.scripts.push_back(scripts[s]);
  }
  std::stable_sort(out.scripts.begin(), out.scripts.end(),
                   [](auto& a, auto& b) { return a.tokens_per_character() > b.tokens_per_character(); });
  return out;
}

}  // namespace llmkit::tokenizer
