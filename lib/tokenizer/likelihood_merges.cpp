#include "tokenizer/likelihood_merges.h"

#include <algorithm>

namespace llmkit::tokenizer {

void LikelihoodMerges::change(int32_t left, int32_t right, int64_t count, uint32_t word) {
  uint64_t pair = pair_key(static_cast<uint32_t>(left), static_cast<uint32_t>(right));
  auto [entry, fresh] = index_.try_emplace(pair, pairs_.size());
  if (fresh) pairs_.push_back({pair, 0, {}});
  Pair& p = pairs_[entry->second];
  p.count += static_cast<uint64_t>(count);
  if (count > 0 && (p.words.empty() || p.words.back() != word)) p.words.push_back(word);
}

void LikelihoodMerges::add_word(std::span<const int32_t> symbols, uint64_t count) {
  auto number = static_cast<uint32_t>(words_.size());
  words_.push_back({{symbols.begin(), symbols.end()}, count});
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (counts_.size() <= static_cast<size_t>(symbols[i])) counts_.resize(static_cast<size_t>(symbols[i]) + 1);
    counts_[static_cast<size_t>(symbols[i])] += count;
    if (i + 1 < symbols.size()) change(symbols[i], symbols[i + 1], static_cast<int64_t>(count), number);
  }
}

// The pair of the greatest score; pairs_.size() where none has the least count.
size_t LikelihoodMerges::best(const MergeLearner& learner) const {
  size_t chosen = pairs_.size();
  double score = 0;
  for (size_t i = 0; i < pairs_.size(); ++i) {
    const Pair& p = pairs_[i];
    if (p.count < learner.floor()) continue;
    uint32_t left = pair_left(p.pair), right = pair_right(p.pair);
    double s =
        static_cast<double>(p.count) / (static_cast<double>(counts_[left]) * static_cast<double>(counts_[right]));
    if (chosen < pairs_.size()) {
      const Pair& b = pairs_[chosen];
      if (s < score) continue;
      if (s == score && (p.count < b.count || (p.count == b.count && p.pair > b.pair))) continue;
    }
    if (learner.sizes()[left] + learner.sizes()[right] >= learner.max_size()) continue;
    chosen = i;
    score = s;
  }
  return chosen;
}

void LikelihoodMerges::merge(size_t chosen, int32_t result) {
  auto left = static_cast<int32_t>(pair_left(pairs_[chosen].pair)),
       right = static_cast<int32_t>(pair_right(pairs_[chosen].pair));
  if (counts_.size() <= static_cast<size_t>(result)) counts_.resize(static_cast<size_t>(result) + 1);
  std::vector<uint32_t> words = std::move(pairs_[chosen].words);
  for (uint32_t number : words) {
    Word& word = words_[number];
    auto& s = word.symbols;
    auto count = static_cast<int64_t>(word.count);
    bool found = false;
    for (size_t i = 0; i + 1 < s.size() && !found; ++i) found = s[i] == left && s[i + 1] == right;
    if (!found) continue;
    for (size_t i = 0; i + 1 < s.size(); ++i) change(s[i], s[i + 1], -count, number);
    size_t kept = 0;
    for (size_t i = 0; i < s.size(); ++i) {
      if (i + 1 < s.size() && s[i] == left && s[i + 1] == right) {
        counts_[static_cast<size_t>(left)] -= word.count;
        counts_[static_cast<size_t>(right)] -= word.count;
        counts_[static_cast<size_t>(result)] += word.count;
        s[kept++] = result;
        ++i;
      } else {
        s[kept++] = s[i];
      }
    }
    s.resize(kept);
    for (size_t i = 0; i + 1 < s.size(); ++i) change(s[i], s[i + 1], count, number);
  }
  // Pairs that are gone need not be gone through again.
  if (pairs_.size() < 1024) return;
  size_t gone = static_cast<size_t>(std::count_if(pairs_.begin(), pairs_.end(), [](auto& p) { return p.count == 0; }));
  if (gone * 2 < pairs_.size()) return;
  std::erase_if(pairs_, [](auto& p) { return p.count == 0; });
  index_.clear();
  for (size_t i = 0; i < pairs_.size(); ++i) index_[pairs_[i].pair] = i;
}

void LikelihoodMerges::learn(MergeLearner& learner) {
  while (!learner.full()) {
    size_t chosen = best(learner);
    if (chosen == pairs_.size()) return;
    bool fresh = false;
    int32_t result = learner.take(pairs_[chosen].pair, pairs_[chosen].count, fresh);
    if (result >= 0)
      merge(chosen, result);
    else
      pairs_[chosen].count = 0;  // may not be merged
  }
}

}  // namespace llmkit::tokenizer
