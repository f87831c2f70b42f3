#include "clean/block_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace llmkit::clean {
namespace {

constexpr float kLowest = 0.2f, kHighest = 0.5f;

#define LLMKIT_BLOCK_MODEL_BIAS(bias) constexpr float kBias = bias;
#define LLMKIT_BLOCK_MODEL_COLUMNS(columns) constexpr size_t kColumns = columns;
#define LLMKIT_TREE(...)
#include "clean/block_model.def"
#undef LLMKIT_TREE
#undef LLMKIT_BLOCK_MODEL_COLUMNS
#undef LLMKIT_BLOCK_MODEL_BIAS

BlockModel make_shipped() {
  std::vector<TreeNode> nodes;
  std::vector<uint32_t> roots;
#define LLMKIT_BLOCK_MODEL_BIAS(bias)
#define LLMKIT_BLOCK_MODEL_COLUMNS(columns)
#define LLMKIT_TREE(...)                                           \
  {                                                                \
    static constexpr TreeNode kTree[] = {__VA_ARGS__};             \
    roots.push_back(static_cast<uint32_t>(nodes.size()));          \
    nodes.insert(nodes.end(), std::begin(kTree), std::end(kTree)); \
  }
#include "clean/block_model.def"
#undef LLMKIT_TREE
#undef LLMKIT_BLOCK_MODEL_COLUMNS
#undef LLMKIT_BLOCK_MODEL_BIAS
  return {std::move(nodes), std::move(roots), kBias};
}

}  // namespace

const BlockModel& BlockModel::shipped() {
  static const BlockModel kModel = make_shipped();
  return kModel;
}

size_t BlockModel::shipped_columns() {
  return kColumns;
}

float BlockModel::probability(const float* row) const {
  float sum = bias_;
  for (uint32_t root : roots_) {
    const TreeNode* tree = nodes_.data() + root;
    const TreeNode* node = tree;
    while (node->feature >= 0) node = tree + (row[node->feature] < node->value ? node->left : node->right);
    sum += node->value;
  }
  return 1 / (1 + std::exp(-sum));
}

std::vector<std::pair<int, float>> BlockModel::reasons(const float* row, size_t columns) const {
  std::vector<float> amount(columns);
  for (uint32_t root : roots_) {
    const TreeNode* tree = nodes_.data() + root;
    const TreeNode* node = tree;
    while (node->feature >= 0) {
      const TreeNode* child = tree + (row[node->feature] < node->value ? node->left : node->right);
      amount[static_cast<size_t>(node->feature)] += (child->feature < 0 ? child->value : child->mean) - node->mean;
      node = child;
    }
  }
  std::vector<std::pair<int, float>> out;
  for (size_t i = 0; i < columns; ++i)
    if (std::abs(amount[i]) > 0.02f) out.emplace_back(static_cast<int>(i), amount[i]);
  std::stable_sort(out.begin(), out.end(), [](auto& a, auto& b) { return std::abs(a.second) > std::abs(b.second); });
  return out;
}

std::vector<bool> select_blocks(std::span<const float> probabilities, std::span<const uint32_t> words) {
  const size_t n = probabilities.size();
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return probabilities[a] > probabilities[b]; });
  double expected = 0;
  for (size_t i = 0; i < n; ++i) expected += static_cast<double>(probabilities[i]) * words[i];
  double hits = 0, taken = 0, best = -1;
  float threshold = kHighest;
  for (uint32_t i : order) {
    hits += static_cast<double>(probabilities[i]) * words[i];
    taken += words[i];
    double f1 = 2 * hits / (taken + expected + 1e-9);
    if (f1 <= best) continue;
    best = f1;
    threshold = probabilities[i];
  }
  threshold = std::clamp(threshold, kLowest, kHighest);
  std::vector<bool> keep(n);
  for (size_t i = 0; i < n; ++i) keep[i] = probabilities[i] >= threshold;
  return keep;
}

}  // namespace llmkit::clean
