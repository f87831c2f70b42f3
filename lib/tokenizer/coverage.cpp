#include "tokenizer/coverage.h"

#include <algorithm>
#include <array>

#include "tokenizer/unicode_class.h"
#include "tokenizer/unicode_script.h"

namespace llmkit::tokenizer {
namespace {

// A script for letters and marks; the rest is told by class.
constexpr std::array<std::string_view, 4> kOthers{"other letters", "digits", "white space", "punctuation and symbols"};

size_t group_count() {
  return static_cast<size_t>(script_count()) + kOthers.size();
}

std::string_view group_name(size_t group) {
  auto scripts = static_cast<size_t>(script_count());
  return group < scripts ? script_name(static_cast<int>(group)) : kOthers[group - scripts];
}

size_t group_of(uint32_t code_point) {
  static const uint8_t common = script_named("Common"), inherited = script_named("Inherited");
  auto other = [](size_t i) { return static_cast<size_t>(script_count()) + i; };
  if (code_point == 0xFFFFFFFF) return other(3);
  CharClass c = class_of(code_point);
  if (is_space(c)) return other(2);
  if (is_number(c)) return other(1);
  if (!is_letter(c) && !is_mark(c)) return other(3);
  uint8_t script = script_of(code_point);
  return script == 0 || script == common || script == inherited ? other(0) : script;
}

struct Tally {
  TextSizes sizes;
  int64_t tokens = 0;
  std::vector<ScriptCoverage> groups{group_count()};
  std::vector<bool> used;
};

// Each byte knows its group, each token shares itself among the bytes it stands for. A character counts where it
// starts.
void add_text(const Tokenizer& tokenizer, std::string_view text, Tally& tally) {
  std::vector<int32_t> ids;
  std::vector<Span> spans;
  tokenizer.encode(text, ids, spans);
  std::vector<uint8_t> group(text.size());
  std::vector<bool> starts(text.size());
  for (size_t i = 0; i < text.size();) {
    Utf8Char c = decode_utf8(text.data() + i, text.data() + text.size());
    size_t g = group_of(c.code_point);
    std::fill_n(group.begin() + static_cast<std::ptrdiff_t>(i), c.length, static_cast<uint8_t>(g));
    starts[i] = true;
    ++tally.groups[g].characters;
    i += c.length;
  }
  const int32_t unknown = tokenizer.unk().value_or(-1);
  for (size_t t = 0; t < ids.size(); ++t) {
    const double share = 1.0 / static_cast<double>(std::max<size_t>(1, spans[t].end - spans[t].begin));
    for (size_t i = spans[t].begin; i < spans[t].end; ++i) {
      ScriptCoverage& g = tally.groups[group[i]];
      g.tokens += share;
      g.unknown += ids[t] == unknown && starts[i];
    }
    tally.used[static_cast<size_t>(ids[t])] = true;
  }
  tally.sizes += sizes_of(text);
  tally.tokens += static_cast<int64_t>(ids.size());
}

}  // namespace

void TextSizes::operator+=(const TextSizes& other) {
  bytes += other.bytes;
  characters += other.characters;
  words += other.words;
}

TextSizes sizes_of(std::string_view text) {
  static const std::array alone{script_named("Han"), script_named("Hiragana"), script_named("Katakana")};
  TextSizes sizes;
  sizes.bytes = static_cast<int64_t>(text.size());
  bool in_word = false;
  for (const char *p = text.data(), *end = p + text.size(); p < end; ++sizes.characters) {
    Utf8Char c = decode_utf8(p, end);
    bool space = c.code_point != 0xFFFFFFFF && is_space(class_of(c.code_point));
    bool ideograph = std::find(alone.begin(), alone.end(), script_of(c.code_point)) != alone.end();
    sizes.words += ideograph || (!space && !in_word);
    in_word = !space && !ideograph;
    p += c.length;
  }
  return sizes;
}

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
  std::vector<ScriptCoverage> groups(group_count());
  std::vector<bool> used(static_cast<size_t>(tokenizer.vocab_size()));
  for (auto& tally : tallies) {
    out += tally.sizes;
    out.tokens += tally.tokens;
    for (size_t g = 0; g < groups.size(); ++g) {
      groups[g].characters += tally.groups[g].characters;
      groups[g].unknown += tally.groups[g].unknown;
      groups[g].tokens += tally.groups[g].tokens;
    }
    for (size_t id = 0; id < used.size(); ++id) used[id] = used[id] || tally.used[id];
  }
  out.tokens_used = std::count(used.begin(), used.end(), true);
  for (size_t g = 0; g < groups.size(); ++g) {
    groups[g].name = group_name(g);
    if (groups[g].characters) out.scripts.push_back(groups[g]);
  }
  std::stable_sort(out.scripts.begin(), out.scripts.end(), [](auto& a, auto& b) { return a.worse_than(b); });
  return out;
}

}  // namespace llmkit::tokenizer
