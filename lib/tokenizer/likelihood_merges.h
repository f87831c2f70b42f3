// WordPiece merges by likelihood: the pair with the greatest count(ab) / (count(a) count(b)) is merged, of equals the
// more frequent, then the smaller. Scores rise as parts become rarer, so the candidates are gone through at every step.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "tokenizer/merge_learner.h"

namespace llmkit::tokenizer {

class LikelihoodMerges {
 public:
  void add_word(std::span<const int32_t> symbols, uint64_t count);
  void learn(MergeLearner& learner);

 private:
  struct Word {
    std::vector<int32_t> symbols;
    uint64_t count;
  };
  struct Pair {
    uint64_t pair = 0, count = 0;
    std::vector<uint32_t> words;  // where it stands or stood
  };
  void change(int32_t left, int32_t right, int64_t count, uint32_t word);
  size_t best(const MergeLearner& learner) const;
  void merge(size_t chosen, int32_t result);

  std::vector<Word> words_;
  std::vector<Pair> pairs_;
  std::vector<uint64_t> counts_;  // of symbols
  std::unordered_map<uint64_t, size_t> index_;
};

}  // namespace llmkit::tokenizer
