#include "tokenizer/unigram_seeds.h"

#include <algorithm>

#include "tokenizer/unigram_seed_rules.h"

namespace llmkit::tokenizer {
namespace {

constexpr size_t kGroupSuffixes = 400'000;  // sorted together, at least

struct Suffix {
  uint64_t key;  // its first four characters
  uint32_t begin, entry;
};

class SeedFinder {
 public:
  SeedFinder(const UnigramCorpus& corpus, const UnigramSeedOptions& options)
      : corpus_(corpus), rules_(corpus, options), most_characters_(options.max_characters) {}

  // Candidates that start with the characters [first, last), in the order of the suffixes.
  std::vector<UnigramSeed> search(uint16_t first, uint16_t last) const {
    std::vector<Suffix> suffixes = gather(first, last);
    std::sort(suffixes.begin(), suffixes.end(), [&](const Suffix& a, const Suffix& b) {
      if (a.key != b.key) return a.key < b.key;
      if (ends_within(a.key)) return a.begin < b.begin;
      for (uint32_t i = 4; i <= most_characters_; ++i) {
        uint16_t x = text(a.begin + i), y = text(b.begin + i);
        if (x != y) return x < y;
        if (ends(x)) break;
      }
      return a.begin < b.begin;
    });
    std::vector<UnigramSeed> found;
    struct Open {
      uint32_t depth;
      size_t left;
    };
    std::vector<Open> open;
    std::vector<uint64_t> before(suffixes.size() + 1);
    for (size_t i = 0; i < suffixes.size(); ++i) before[i + 1] = before[i] + corpus_.entries[suffixes[i].entry].count;
    for (size_t i = 1; i <= suffixes.size(); ++i) {
      uint32_t common = i < suffixes.size() ? common_prefix(suffixes[i - 1].begin, suffixes[i].begin) : 0;
      size_t left = i - 1;
      while (!open.empty() && open.back().depth > common) {
        Open node = open.back();
        open.pop_back();
        left = node.left;
        uint32_t begin = suffixes[left].begin;
        if (rules_.valid({corpus_.text.data() + begin, node.depth}) &&
            (!rules_.options().of_bytes || bytes_differ(std::span(suffixes).subspan(left, i - left), node.depth)))
          found.push_back({(before[i] - before[left]) * node.depth, begin, node.depth});
      }
      if (common > 0 && (open.empty() || open.back().depth < common)) open.push_back({common, left});
    }
    return found;
  }

 private:
  uint16_t text(size_t at) const { return corpus_.text[at]; }
  bool ends(uint16_t c) const { return rules_.ends(c); }
  // Whether one of the last three characters of a key ends its word: the rest is not compared.
  bool ends_within(uint64_t key) const {
    for (int shift : {32, 16, 0})
      if (ends(static_cast<uint16_t>(key >> shift))) return true;
    return false;
  }

  // Whether the characters that follow the first `size` ones of some suffixes differ in their first bytes.
  bool bytes_differ(std::span<const Suffix> suffixes, uint32_t size) const {
    uint32_t first = rules_.first_byte(text(suffixes[0].begin + size));
    return std::any_of(suffixes.begin(), suffixes.end(),
                       [&](const Suffix& s) { return rules_.first_byte(text(s.begin + size)) != first; });
  }

  std::vector<Suffix> gather(uint16_t first, uint16_t last) const {
    std::vector<Suffix> suffixes;
    for (size_t e = 0; e < corpus_.entries.size(); ++e) {
      auto& entry = corpus_.entries[e];
      for (uint32_t i = entry.begin; i < entry.begin + entry.size; ++i) {
        if (text(i) < first || text(i) >= last) continue;
        uint64_t key = 0;
        bool over = false;
        for (uint32_t k = 0; k < 4; ++k) {
          uint16_t c = over ? uint16_t{0} : text(i + k);
          key = key << 16 | c;
          if (k > 0 && ends(c)) over = true;
        }
        suffixes.push_back({key, i, static_cast<uint32_t>(e)});
      }
    }
    return suffixes;
  }

  uint32_t common_prefix(uint32_t a, uint32_t b) const {
    uint32_t n = 0;
    while (n <= most_characters_ && text(a + n) == text(b + n)) {
      if (n > 0 && ends(text(a + n))) return n + 1;
      ++n;
    }
    return n;
  }

  const UnigramCorpus& corpus_;
  SeedRules rules_;
  uint32_t most_characters_;
};

}  // namespace

std::vector<UnigramSeed> find_seeds(Context& context, const UnigramCorpus& corpus, const UnigramSeedOptions& options) {
  // Suffixes by first character, so many characters a group that it is worth a pass over the text.
  std::vector<size_t> starts(corpus.characters.size() + 1);
  std::vector<uint32_t> places(corpus.characters.size(), UINT32_MAX);
  for (auto& entry : corpus.entries)
    for (uint32_t i = entry.begin; i < entry.begin + entry.size; ++i) {
      ++starts[corpus.text[i]];
      places[corpus.text[i]] = std::min(places[corpus.text[i]], i);
    }
  std::vector<std::pair<uint16_t, uint16_t>> groups;
  size_t sum = 0;
  uint16_t first = 1;
  for (size_t c = 1; c < corpus.characters.size(); ++c) {
    sum += starts[c];
    if (sum < kGroupSuffixes && c + 1 < corpus.characters.size()) continue;
    groups.push_back({first, static_cast<uint16_t>(c + 1)});
    first = static_cast<uint16_t>(c + 1);
    sum = 0;
  }
  SeedFinder finder(corpus, options);
  auto better = [](const UnigramSeed& a, const UnigramSeed& b) { return a.score > b.score; };
  std::vector<std::vector<UnigramSeed>> found(groups.size());
  context.parallel.for_tiles(static_cast<int64_t>(groups.size()), [&](int64_t i) {
    auto& list = found[static_cast<size_t>(i)];
    list = finder.search(groups[static_cast<size_t>(i)].first, groups[static_cast<size_t>(i)].second);
    std::stable_sort(list.begin(), list.end(), better);
    if (list.size() > options.most) list.resize(options.most);
  });
  std::vector<UnigramSeed> seeds;
  for (auto& list : found) {
    auto middle = static_cast<ptrdiff_t>(seeds.size());
    seeds.insert(seeds.end(), list.begin(), list.end());
    list = {};
    std::inplace_merge(seeds.begin(), seeds.begin() + middle, seeds.end(), better);  // of equals the earlier first
    if (seeds.size() > options.most) seeds.resize(options.most);
  }
  std::vector<UnigramSeed> all;
  for (uint16_t c : corpus.required) all.push_back({corpus.counts[c], places[c], 1});
  all.insert(all.end(), seeds.begin(), seeds.end());
  return all;
}

}  // namespace llmkit::tokenizer
