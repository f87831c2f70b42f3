// Gopher's repetition rules (Rae et al. 2021, table A1), counted as datatrove counts them: shares of all characters;
// for n = 5 … 10 the scan jumps over an n-gram that was seen before. In unspaced scripts an n-gram is 2n characters.
#include <algorithm>
#include <array>
#include <bit>

#include "base/hash.h"
#include "clean/filter.h"
#include "text/utf8.h"

namespace llmkit::clean {
namespace {

constexpr uint64_t kBase = 0x9E3779B97F4A7C15;

// A set of 64-bit hashes with a count and a length each; open addressing, sized once.
class HashCounter {
 public:
  explicit HashCounter(size_t most) : slots_(std::bit_ceil(most * 2 + 16)) {}
  void clear() { std::fill(slots_.begin(), slots_.end(), Slot{}); }
  // Counts `hash`; returns how often it had been counted before.
  uint32_t add(uint64_t hash) {
    hash |= 1;  // 0 marks an empty slot
    size_t at = hash * kBase >> (64 - std::bit_width(slots_.size() - 1));
    while (slots_[at].hash != 0 && slots_[at].hash != hash) at = (at + 1) & (slots_.size() - 1);
    slots_[at].hash = hash;
    return slots_[at].count++;
  }

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t count = 0;
  };
  std::vector<Slot> slots_;
};

// n-gram hashes in constant time each: H(i, n) = P(i+n) - P(i) B^n over word hashes, modulo 2^64.
struct NGrams {
  std::vector<uint64_t> prefix{0};
  std::vector<uint64_t> lengths{0};  // code points before word i
  explicit NGrams(const std::vector<text::Word>& words) {
    prefix.reserve(words.size() + 1);
    lengths.reserve(words.size() + 1);
    for (const text::Word& w : words) {
      prefix.push_back(prefix.back() * kBase + (xxh3_64(w.text) | 1));
      lengths.push_back(lengths.back() + w.length);
    }
  }
  size_t count() const { return prefix.size() - 1; }
  uint64_t hash(size_t at, size_t n, uint64_t power) const {
    return (prefix[at + n] - prefix[at] * power) * 0xD6E8FEB86659FD93 >> 1;
  }
  uint64_t length(size_t at, size_t n) const { return lengths[at + n] - lengths[at]; }
};

uint64_t power_of_base(size_t n) {
  uint64_t p = 1;
  while (n-- > 0) p *= kBase;
  return p;
}

struct NamedLimit {
  std::string_view name;
  size_t n;
  double limit;
};

std::vector<std::string_view> split_paragraphs(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at <= text.size();) {
    size_t end = text.find("\n\n", at);
    if (end == std::string_view::npos) end = text.size();
    out.push_back(text.substr(at, end - at));
    at = end;
    while (at < text.size() && text[at] == '\n') ++at;
    if (end == text.size()) break;
  }
  return out;
}

class GopherRepetition : public Filter {
 public:
  explicit GopherRepetition(const Values& v)
      : paragraphs_(v.real("dup-paragraphs")),
        paragraph_characters_(v.real("dup-paragraph-characters")),
        lines_(v.real("dup-lines")),
        line_characters_(v.real("dup-line-characters")),
        top_{{{"top-2-gram", 2, v.real("top-2-gram")},
              {"top-3-gram", 3, v.real("top-3-gram")},
              {"top-4-gram", 4, v.real("top-4-gram")}}},
        dup_{{{"dup-5-grams", 5, v.real("dup-5-grams")},
              {"dup-6-grams", 6, v.real("dup-6-grams")},
              {"dup-7-grams", 7, v.real("dup-7-grams")},
              {"dup-8-grams", 8, v.real("dup-8-grams")},
              {"dup-9-grams", 9, v.real("dup-9-grams")},
              {"dup-10-grams", 10, v.real("dup-10-grams")}}} {}

  std::optional<Drop> apply(FilterDocument& d) const override {
    std::string_view text = text::trim(d.text);
    if (text.empty()) return {};
    const TextStats& s = d.stats();
    auto characters = static_cast<double>(text::count_code_points(text));
    std::vector<std::string_view> paragraphs = split_paragraphs(text);
    Duplicates dup = find_duplicates(paragraphs);
    if (auto x = static_cast<double>(dup.elements) / static_cast<double>(paragraphs.size()); x > paragraphs_)
      return Drop{"dup-paragraphs", x, paragraphs_};
    if (auto x = static_cast<double>(dup.characters) / characters; x > paragraph_characters_)
      return Drop{"dup-paragraph-characters", x, paragraph_characters_};
    std::vector<std::string_view> lines;
    for (std::string_view line : lines_of(text, true))
      if (!line.empty()) lines.push_back(line);
    dup = find_duplicates(lines);
    if (auto x = static_cast<double>(dup.elements) / static_cast<double>(lines.size()); x > lines_)
      return Drop{"dup-lines", x, lines_};
    if (auto x = static_cast<double>(dup.characters) / characters; x > line_characters_)
      return Drop{"dup-line-characters", x, line_characters_};

    NGrams grams(s.words);
    HashCounter counter(grams.count());
    size_t scale = s.unspaced ? 2 : 1;
    for (const NamedLimit& rule : top_)
      if (double x = top_share(grams, counter, rule.n * scale, !s.unspaced) / characters; x > rule.limit)
        return Drop{rule.name, x, rule.limit};
    for (const NamedLimit& rule : dup_)
      if (double x = duplicate_characters(grams, counter, rule.n * scale) / characters; x > rule.limit)
        return Drop{rule.name, x, rule.limit};
    return {};
  }

 private:
  // Characters of all occurrences of the most frequent n-gram (the first of them where several are), with its inner
  // spaces.
  static double top_share(const NGrams& grams, HashCounter& counter, size_t n, bool spaces) {
    if (grams.count() < n) return 0;
    counter.clear();
    uint64_t power = power_of_base(n);
    uint32_t best = 0;
    size_t best_at = 0;
    for (size_t i = 0; i + n <= grams.count(); ++i) {
      uint32_t count = counter.add(grams.hash(i, n, power)) + 1;
      if (count > best) {
        best = count;
        best_at = i;
      }
    }
    return static_cast<double>((grams.length(best_at, n) + (spaces ? n - 1 : 0)) * best);
  }

  static double duplicate_characters(const NGrams& grams, HashCounter& counter, size_t n) {
    counter.clear();
    uint64_t power = power_of_base(n), characters = 0;
    for (size_t i = 0; i + n <= grams.count();) {
      if (counter.add(grams.hash(i, n, power)) == 0) {
        ++i;
        continue;
      }
      characters += grams.length(i, n);
      i += n;
    }
    return static_cast<double>(characters);
  }

  double paragraphs_, paragraph_characters_, lines_, line_characters_;
  std::array<NamedLimit, 3> top_;
  std::array<NamedLimit, 6> dup_;
};

}  // namespace

Entry<Filter> gopher_repetition_filter() {
  return {{"gopher-repetition",
           "repeated lines, paragraphs and n-grams",
           "Rae et al. 2021, arXiv 2112.11446",
           {{"dup-paragraphs", ParamType::real, "0.3", "largest share of paragraphs that occurred before", 0, 1},
            {"dup-paragraph-characters", ParamType::real, "0.2", "the same, of characters", 0, 1},
            {"dup-lines", ParamType::real, "0.3", "largest share of lines that occurred before", 0, 1},
            {"dup-line-characters", ParamType::real, "0.2", "the same, of characters", 0, 1},
            {"top-2-gram", ParamType::real, "0.2", "largest share of characters in the commonest 2-gram", 0, 10},
            {"top-3-gram", ParamType::real, "0.18", "the same for 3-grams", 0, 10},
            {"top-4-gram", ParamType::real, "0.16", "the same for 4-grams", 0, 10},
            {"dup-5-grams", ParamType::real, "0.15", "largest share of characters in repeated 5-grams", 0, 1},
            {"dup-6-grams", ParamType::real, "0.14", "the same for 6-grams", 0, 1},
            {"dup-7-grams", ParamType::real, "0.13", "the same for 7-grams", 0, 1},
            {"dup-8-grams", ParamType::real, "0.12", "the same for 8-grams", 0, 1},
            {"dup-9-grams", ParamType::real, "0.11", "the same for 9-grams", 0, 1},
            {"dup-10-grams", ParamType::real, "0.1", "the same for 10-grams", 0, 1}}},
          [](const Values& v) -> std::unique_ptr<Filter> { return std::make_unique<GopherRepetition>(v); }};
}

}  // namespace llmkit::clean
