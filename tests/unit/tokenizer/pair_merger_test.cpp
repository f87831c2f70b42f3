#include "tokenizer/pair_merger.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "base/parallel.h"
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

std::vector<Step> by_merger(const std::vector<Word>& words, size_t letters, size_t merges, uint64_t floor, int& rounds,
                            int threads = 1, uint64_t memory_bytes = 0, PairMergerStats* stats = nullptr) {
  std::vector<Step> steps;
  Parallel parallel(threads);
  std::vector<int64_t> sizes(letters, 1);
  PairMerger merger(parallel, sizes, letters, INT64_MAX, memory_bytes);
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
  if (stats) *stats = merger.stats();
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

TEST_CASE("a bound of memory and the number of threads change no merge") {
  auto words = random_words(7, 40'000, 8);
  int rounds = 0;
  PairMergerStats free, stats;
  auto expected = by_merger(words, 8, 600, 2, rounds, 1, 0, &free);
  CHECK(expected.size() == 600);
  int most_scans = 0;
  for (int threads : {1, 3})
    for (uint64_t memory : {1'600'000, 400'000, 80'000}) {
      CAPTURE(memory);
      CHECK(by_merger(words, 8, 600, 2, rounds, threads, memory, &stats) == expected);
      CHECK(stats.passes > free.passes);  // the lists did not fit all at once
      most_scans = std::max(most_scans, stats.scans);
    }
  CHECK(most_scans > 0);  // nor did that of one pair
}

TEST_CASE("more symbols than codes of two bytes") {
  // Every pair of a large alphabet, and merges enough to use the codes up.
  std::vector<Word> words;
  Rng rng({3});
  for (int i = 0; i < 30'000; ++i) {
    Word word{{}, 1 + rng.below(1000)};
    for (int k = 0; k < 6; ++k) word.symbols.push_back(static_cast<int32_t>(rng.below(33'000)));
    words.push_back(word);
  }
  int rounds = 0;
  PairMergerStats stats;
  // The tokens' texts are not letters here: every pair makes a new one.
  auto merges = [&](int threads, uint64_t memory) {
    std::vector<Step> steps;
    Parallel parallel(threads);
    std::vector<int64_t> sizes(33'000, 1);
    PairMerger merger(parallel, sizes, 33'000, INT64_MAX, memory);
    for (auto& w : words) merger.add_word(w.symbols, w.count);
    merger.index(1);
    while (steps.size() < 9'000) {
      Step step;
      if (!merger.next(step.pair, step.count)) {
        if (merger.exhausted(1)) break;
        merger.index(1);
        continue;
      }
      step.result = static_cast<int32_t>(sizes.size());
      sizes.push_back(2);
      merger.merge(step.pair, step.result, true);
      steps.push_back(step);
    }
    rounds = merger.stats().passes;
    return steps;
  };
  auto steps = merges(1, 0);
  CHECK(steps.size() == 9'000);
  CHECK(rounds > 1);
  // Again by a plain search for the best pair, over words that hold any symbol.
  std::map<uint64_t, uint64_t> counts;
  auto change = [&](const std::vector<int32_t>& symbols, uint64_t count) {
    for (size_t i = 0; i + 1 < symbols.size(); ++i)
      counts[pair_key(static_cast<uint32_t>(symbols[i]), static_cast<uint32_t>(symbols[i + 1]))] += count;
  };
  for (auto& w : words) change(w.symbols, w.count);
  std::map<uint64_t, std::vector<size_t>> where;
  for (size_t i = 0; i < words.size(); ++i)
    for (size_t k = 0; k + 1 < words[i].symbols.size(); ++k)
      where[pair_key(static_cast<uint32_t>(words[i].symbols[k]), static_cast<uint32_t>(words[i].symbols[k + 1]))]
          .push_back(i);
  auto work = words;
  for (size_t s = 0; s < 60; ++s) {
    uint64_t best = 0, most = 0;
    for (auto& [pair, count] : counts)
      if (count > most) best = pair, most = count;
    CHECK(steps[s].pair == best);
    CHECK(steps[s].count == most);
    for (size_t i : std::vector<size_t>(where[best])) {
      auto& w = work[i];
      change(w.symbols, uint64_t{0} - w.count);
      for (size_t k = 0; k + 1 < w.symbols.size(); ++k)
        if (pair_key(static_cast<uint32_t>(w.symbols[k]), static_cast<uint32_t>(w.symbols[k + 1])) == best) {
          w.symbols[k] = steps[s].result;
          w.symbols.erase(w.symbols.begin() + static_cast<ptrdiff_t>(k) + 1);
        }
      change(w.symbols, w.count);
      for (size_t k = 0; k + 1 < w.symbols.size(); ++k)
        where[pair_key(static_cast<uint32_t>(w.symbols[k]), static_cast<uint32_t>(w.symbols[k + 1]))].push_back(i);
    }
  }
  CHECK(merges(2, 400'000) == steps);
}
