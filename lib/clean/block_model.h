// The block classifier: boosted regression trees over the features of features.h (Friedman, "Greedy function
// approximation: a gradient boosting machine", 2001; logistic loss). tests/real/extraction_test.cpp trains it from
// pages with known main text and writes block_model.def.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "clean/features.h"

namespace llmkit::clean {

struct TreeNode {
  int16_t feature;  // -1: a leaf
  float value;      // a split's threshold (left where feature < value), or a leaf's output
  int16_t left, right;
  float mean;  // of a split: what the tree would give if it ended here; explanations start from it
};

class BlockModel {
 public:
  BlockModel() = default;
  BlockModel(std::vector<TreeNode> nodes, std::vector<uint32_t> roots, float bias)
      : nodes_(std::move(nodes)), roots_(std::move(roots)), bias_(bias) {}

  static const BlockModel& shipped();
  static size_t shipped_columns();  // the number of features it was trained with

  // The probability that a block is content.
  float probability(const float* row) const;

  // What moved a block's log-odds: (feature, amount), largest first. The amounts and the trees' means add up to the
  // log-odds.
  std::vector<std::pair<int, float>> reasons(const float* row, size_t columns) const;

  const std::vector<TreeNode>& nodes() const { return nodes_; }
  const std::vector<uint32_t>& roots() const { return roots_; }
  float bias() const { return bias_; }

 private:
  std::vector<TreeNode> nodes_;  // of all trees, children by absolute offset from their tree's root
  std::vector<uint32_t> roots_;
  float bias_ = 0;
};

// The blocks that make the expected F1 of words largest: with blocks by falling probability, the prefix that maximises
// 2 Σ p w / (Σ w + Σ_all p w); the threshold this means is kept within [0.2, 0.5]. (Lipton et al., "Optimal
// thresholding of classifiers to maximize F1 measure", 2014.)
std::vector<bool> select_blocks(std::span<const float> probabilities, std::span<const uint32_t> words);

}  // namespace llmkit::clean
