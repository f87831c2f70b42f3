#include "tokenizer/pair_merger.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "base/rng.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

struct Word {
  std::vector<int32_t> symbols;
  uint64_t count;
};

struct Step {
  uint64_t pair, count;
  int32_t result;
  bool operator==(const Step&) const = default;
};

// Words over a few letters with counts of many sizes, so that thresholds fall many times.
std::vector<Word> random_words(uint64_t seed, size_t number, int letters) {
  Rng rng({seed});
  std::vector<Word> words(number);
  for (auto& word : words) {
    for (uint64_t n = 1 + rng.below(12); n > 0; --n)
      word.symbols.push_back(static_cast<int32_t>(std::min(rng.below(letters), rng.below(letters))));
    const uint64_t size = uint64_t{1} << rng.below(20);  // drawn first, whatever the compiler's order of evaluation
    word.count = 1 + size * rng.below(3);
  }
  return words;
}

template <class Next>
void learn(size_t letters, size_t merges, Next&& next) {
  std::map<std::string, int32_t> ids;
  std::vector<std::string> tokens;
  for (size_t i = 0; i < letters; ++i) tokens.push_back(std::string(1, static_cast<char>('a' + i)));
  for (auto& token : tokens) ids.emplace(token, static_cast<int32_t>(ids.size()));
  for (size_t step = 0; step < merges; ++step) {
    if (!next([&](uint64_t pair, bool& fresh) {
          std::string token = tokens[pair_left(pair)] + tokens[pair_right(pair)];
          auto [entry, made] = ids.try_emplace(token, static_cast<int32_t>(tokens.size()));
          if (made) tokens.push_back(token);
          fresh = made;
          return entry->second;
        }))
      break;
  }
}

// Counts every pair again at each step. A pair merged before keeps its count, as in Hugging Face's trainer.
std::vector<Step> by_recounting(std::vector<Word> words, size_t letters, size_t merges, uint64_t floor) {
  std::vector<Step> steps;
  std::map<uint64_t, uint64_t> kept;
  learn(letters, merges, [&](auto&& name) {
    std::map<uint64_t, uint64_t> counts;
    for (auto& w : words)
      for (size_t i = 0; i + 1 < w.symbols.size(); ++i)
        counts[pair_key(static_cast<uint32_t>(w.symbols[i]), static_cast<uint32_t>(w.symbols[i + 1]))] += w.count;
    Step best{0, 0, 0};
    for (auto& [pair, count] : counts) {
      uint64_t total = count + (kept.count(pair) ? kept[pair] : 0);
      if (total > best.count) best = {pair, total, 0};
    }
    if (best.count < floor) return false;
    bool fresh;
    best.result = name(best.pair, fresh);
    auto left = static_cast<int32_t>(pair_left(best.pair)), right = static_cast<int32_t>(pair_right(best.pair));
    uint64_t overlaps = 0;
    for (auto& w : words) {
      std::vector<int32_t> out;
      for (size_t i = 0; i < w.symbols.size(); ++i) {
        if (i + 1 == w.symbols.size() || w.symbols[i] != left || w.symbols[i + 1] != right) {
          out.push_back(w.symbols[i]);
          continue;
        }
        if (left == right && !out.empty() && out.back() == left) overlaps += w.count;
        if (left == right && i + 2 < w.symbols.size() && w.symbols[i + 2] == left) overlaps += w.count;
        out.push_back(best.result);
        ++i;
      }
      w.symbols = out;
    }
    kept[best.pair] = best.count - overlaps;
    steps.push_back(best);
    return true;
  });
  return steps;
}

std::vector<Step> by_merger(const std::vector<Word>& words, size_t letters, size_t merges, uint64_t floor,
                            int& rounds) {
  std::vector<Step> steps;
  std::vector<int64_t> sizes(letters, 1);
  PairMerger merger(sizes, letters, INT64_MAX);
  for (auto& w : words) merger.add_word(w.symbols, w.count);
  rounds = 1;
  merger.index(floor);
  learn(letters, merges, [&](auto&& name) {
    Step step;
    while (!merger.next(step.pair, step.count)) {
      if (merger.exhausted(floor)) return false;
      merger.index(floor);
      ++rounds;
    }
    bool fresh;
    step.result = name(step.pair, fresh);
    if (fresh) sizes.push_back(sizes[pair_left(step.pair)] + sizes[pair_right(step.pair)]);
    merger.merge(step.pair, step.result, fresh);
    steps.push_back(step);
    return true;
  });
  return steps;
}

}  // namespace

TEST_CASE("the merges are those of counting every pair again at each step") {
  int most_rounds = 0;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    CAPTURE(seed);
    auto words = random_words(seed, 40 + seed * 10, seed % 2 ? 8 : 3);
    for (uint64_t floor : {1, 5}) {
      int rounds = 0;
      auto expected = by_recounting(words, 8, 120, floor);
      auto got = by_merger(words, 8, 120, floor, rounds);
      CHECK(got == expected);
      CHECK(expected.size() > 20);
      most_rounds = std::max(most_rounds, rounds);
    }
  }
  CHECK(most_rounds > 3);  // the threshold fell and words were indexed anew
}
