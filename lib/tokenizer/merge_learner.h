// The vocabulary of a BPE training while it grows: which token a pair makes, which pairs may not be merged, and the
// merges in their order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/context.h"
#include "tokenizer/pair_merger.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::tokenizer {

struct MergeLearnerOptions {
  int64_t vocab_size = 32768;
  uint64_t min_frequency = 2;
  int64_t max_token_bytes = 0;                    // no merge gives a token of so many bytes; 0 = any
  std::function<bool(std::string_view)> allowed;  // whether a token may be made; none: any
};

class MergeLearner {
 public:
  // `parts` has the special tokens and the alphabet; tokens and merges are added to it.
  MergeLearner(Context& context, TokenizerParts& parts, const MergeLearnerOptions& options);

  const std::vector<int64_t>& sizes() const { return sizes_; }
  uint64_t floor() const { return floor_; }
  int64_t max_size() const { return max_size_; }
  bool full() const { return static_cast<int64_t>(parts_.tokens.size()) >= options_.vocab_size; }

  // The token that a pair makes, as a merge; -1 where it may not be made. `fresh`: it is a new one.
  int32_t take(uint64_t pair, uint64_t count, bool& fresh);
  // Merges from the merger's words until the vocabulary is full or no pair of `floor` is left in them.
  void merge_down_to(PairMerger& merger, uint64_t floor);

  std::vector<uint64_t> take_counts() { return std::move(counts_); }

 private:
  Context& context_;
  TokenizerParts& parts_;
  MergeLearnerOptions options_;
  uint64_t floor_;
  int64_t max_size_;
  std::unordered_map<std::string, int32_t> ids_;
  std::vector<int64_t> sizes_;
  std::vector<uint64_t> counts_;
};

}  // namespace llmkit::tokenizer
