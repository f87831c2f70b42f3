#include "tokenizer/bpe.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/rng.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

// The definition, slowly: merge the leftmost pair of lowest rank until there is none.
std::vector<int32_t> reference(std::vector<int32_t> s, const std::vector<Merge>& merges) {
  std::map<std::pair<int32_t, int32_t>, size_t> ranks;
  for (size_t r = 0; r < merges.size(); ++r) ranks[{merges[r].left, merges[r].right}] = r;
  for (;;) {
    size_t best = merges.size(), at = 0;
    for (size_t i = 0; i + 1 < s.size(); ++i) {
      auto found = ranks.find({s[i], s[i + 1]});
      if (found != ranks.end() && found->second < best) best = found->second, at = i;
    }
    if (best == merges.size()) return s;
    s[at] = merges[best].result;
    s.erase(s.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

}  // namespace

TEST_CASE("merging equals its definition on random tables, short and long pieces") {
  Rng rng({7});
  for (int round = 0; round < 60; ++round) {
    std::vector<Merge> merges;
    int32_t next = 4;
    for (int i = 0; i < 40; ++i) {
      auto pick = [&] { return static_cast<int32_t>(rng.below(static_cast<uint64_t>(next))); };
      merges.push_back({pick(), pick(), next++});
    }
    BpeMerger merger(merges);
    BpeMerger::Scratch scratch;
    for (size_t size : {2, 5, 39, 40, 41, 300}) {
      std::vector<int32_t> symbols;
      for (size_t i = 0; i < size; ++i) symbols.push_back(static_cast<int32_t>(rng.below(4)));
      auto expected = reference(symbols, merges);
      symbols.insert(symbols.begin(), {1, 1});  // what stands before `from` stays
      merger.merge(symbols, 2, scratch);
      CHECK(std::vector<int32_t>(symbols.begin() + 2, symbols.end()) == expected);
    }
  }
}

TEST_CASE("of a pair given twice the later rank counts") {
  std::vector<Merge> merges{{0, 1, 3}, {1, 2, 4}, {0, 1, 3}};
  std::vector<int32_t> symbols{0, 1, 2};
  BpeMerger::Scratch scratch;
  BpeMerger(merges).merge(symbols, 0, scratch);
  CHECK(symbols == std::vector<int32_t>{0, 4});
}

TEST_CASE("many equal symbols take one pass of a heap") {
  std::vector<Merge> merges{{0, 0, 1}, {1, 1, 2}, {2, 2, 3}};
  std::vector<int32_t> symbols(200'003, 0);
  BpeMerger::Scratch scratch;
  BpeMerger(merges).merge(symbols, 0, scratch);
  CHECK(symbols.size() == 25'002);
  CHECK(symbols.front() == 3);
  CHECK(symbols[symbols.size() - 2] == 1);
  CHECK(symbols.back() == 0);
}
