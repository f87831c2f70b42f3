// Gradient boosting for the block classifier, as small as it can be: logistic loss, histograms of 32 bins a feature,
// trees grown leaf by leaf where the gain is largest. Deterministic: columns are drawn with Philox, sums run in row
// order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "base/parallel.h"
#include "base/rng.h"
#include "clean/block_model.h"

namespace llmkit::real {

struct BoostOptions {
  int trees = 150;
  int leaves = 15;
  float rate = 0.06f;
  float l2 = 5;
  float min_weight = 3;  // hessian of a leaf
  int min_rows = 30;
  double columns_share = 0.3;  // of the features, drawn anew for each tree
  double rows_share = 0.8;
  uint64_t seed = 1;
};

class Booster {
 public:
  Booster(const std::vector<float>& x, size_t columns, const std::vector<float>& y, const std::vector<float>& weight,
          Parallel& parallel)
      : columns_(columns), rows_(y.size()), y_(y), weight_(weight), parallel_(parallel) {
    bins_.resize(rows_ * columns_);
    edges_.resize(columns_);
    parallel_.for_tiles(static_cast<int64_t>(columns_), [&](int64_t c) { bin_column(x, static_cast<size_t>(c)); });
  }

  clean::BlockModel train(const std::vector<uint32_t>& rows, const BoostOptions& options) {
    double positive = 0, total = 0;
    for (uint32_t r : rows) {
      positive += y_[r] * weight_[r];
      total += weight_[r];
    }
    auto bias = static_cast<float>(std::log(positive / (total - positive)));
    score_.assign(rows_, bias);
    std::vector<clean::TreeNode> nodes;
    std::vector<uint32_t> roots;
    for (int t = 0; t < options.trees; ++t) {
      Rng rng{options.seed, static_cast<uint64_t>(t)};
      std::vector<uint32_t> drawn_rows, drawn_columns;
      for (uint32_t r : rows)
        if (rng.uniform() < options.rows_share) drawn_rows.push_back(r);
      for (uint32_t c = 0; c < columns_; ++c)
        if (!edges_[c].empty() && rng.uniform() < options.columns_share) drawn_columns.push_back(c);
      roots.push_back(static_cast<uint32_t>(nodes.size()));
      std::vector<clean::TreeNode> tree = grow(drawn_rows, drawn_columns, options);
      for (uint32_t r : rows) score_[r] += output(tree, r);
      for (clean::TreeNode& n : tree)
        if (n.feature >= 0) n.value = edges_[static_cast<size_t>(n.feature)][static_cast<size_t>(n.value)];
      nodes.insert(nodes.end(), tree.begin(), tree.end());
    }
    return {std::move(nodes), std::move(roots), bias};
  }

 private:
  static constexpr size_t kBins = 32;
  struct Leaf {
    std::vector<uint32_t> rows;
    int16_t node = 0;
    double gain = 0;
    int feature = -1, bin = 0;
    double g = 0, h = 0;
  };

  // Bin b holds values in [edge b-1, edge b).
  void bin_column(const std::vector<float>& x, size_t c) {
    std::vector<float> values;
    for (size_t r = 0; r < rows_; r += 1 + rows_ / 20000) values.push_back(x[r * columns_ + c]);
    std::sort(values.begin(), values.end());
    std::vector<float>& edges = edges_[c];
    for (size_t k = 1; k < kBins; ++k) {
      float v = values[k * values.size() / kBins];
      if (v > values.front() && (edges.empty() || v > edges.back())) edges.push_back(v);
    }
    if (edges.empty() && values.back() > values.front()) edges.push_back(values.back());
    for (size_t r = 0; r < rows_; ++r)
      bins_[c * rows_ + r] =
          static_cast<uint8_t>(std::upper_bound(edges.begin(), edges.end(), x[r * columns_ + c]) - edges.begin());
  }

  float output(const std::vector<clean::TreeNode>& tree, uint32_t row) const {
    const clean::TreeNode* node = tree.data();
    while (node->feature >= 0)
      node = &tree[static_cast<size_t>(
          bins_[static_cast<size_t>(node->feature) * rows_ + row] <= node->value ? node->left : node->right)];
    return node->value;
  }

  // While a tree grows, a split's `value` is its last bin on the left.
  std::vector<clean::TreeNode> grow(const std::vector<uint32_t>& rows, const std::vector<uint32_t>& columns,
                                    const BoostOptions& o) {
    std::vector<clean::TreeNode> tree(1);
    std::vector<Leaf> leaves(1);
    leaves[0].rows = rows;
    find_split(leaves[0], columns, o);
    finish_leaf(tree, leaves[0], o);
    while (static_cast<int>(leaves.size()) < o.leaves) {
      auto best =
          std::max_element(leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) { return a.gain < b.gain; });
      if (best->gain <= 0) break;
      Leaf left, right;
      const uint8_t* bins = &bins_[static_cast<size_t>(best->feature) * rows_];
      for (uint32_t r : best->rows) (bins[r] <= best->bin ? left : right).rows.push_back(r);
      left.node = static_cast<int16_t>(tree.size());
      right.node = static_cast<int16_t>(tree.size() + 1);
      auto parent = static_cast<size_t>(best->node);
      tree.resize(tree.size() + 2);
      tree[parent].feature = static_cast<int16_t>(best->feature);
      tree[parent].value = static_cast<float>(best->bin);
      tree[parent].left = left.node;
      tree[parent].right = right.node;
      for (Leaf* leaf : {&left, &right}) {
        find_split(*leaf, columns, o);
        finish_leaf(tree, *leaf, o);
      }
      *best = std::move(left);
      leaves.push_back(std::move(right));
    }
    return tree;
  }

  void finish_leaf(std::vector<clean::TreeNode>& tree, const Leaf& leaf, const BoostOptions& o) const {
    auto value = static_cast<float>(-leaf.g / (leaf.h + o.l2) * o.rate);
    tree[static_cast<size_t>(leaf.node)] = {-1, value, 0, 0, value};
  }

  void find_split(Leaf& leaf, const std::vector<uint32_t>& columns, const BoostOptions& o) const {
    std::vector<double> g(leaf.rows.size()), h(leaf.rows.size());
    for (size_t i = 0; i < leaf.rows.size(); ++i) {
      uint32_t r = leaf.rows[i];
      double p = 1 / (1 + std::exp(-static_cast<double>(score_[r])));
      g[i] = (p - y_[r]) * weight_[r];
      h[i] = p * (1 - p) * weight_[r];
      leaf.g += g[i];
      leaf.h += h[i];
    }
    struct Best {
      double gain = 0;
      int bin = 0;
    };
    std::vector<Best> best(columns.size());
    double whole = leaf.g * leaf.g / (leaf.h + o.l2);
    parallel_.for_tiles(static_cast<int64_t>(columns.size()), [&](int64_t k) {
      const uint8_t* bins = &bins_[columns[static_cast<size_t>(k)] * rows_];
      double bin_g[kBins] = {}, bin_h[kBins] = {};
      int bin_rows[kBins] = {};
      for (size_t i = 0; i < leaf.rows.size(); ++i) {
        uint8_t b = bins[leaf.rows[i]];
        bin_g[b] += g[i];
        bin_h[b] += h[i];
        ++bin_rows[b];
      }
      double left_g = 0, left_h = 0;
      int left_rows = 0;
      for (size_t b = 0; b + 1 < kBins; ++b) {
        left_g += bin_g[b];
        left_h += bin_h[b];
        left_rows += bin_rows[b];
        double right_g = leaf.g - left_g, right_h = leaf.h - left_h;
        if (left_rows < o.min_rows || static_cast<int>(leaf.rows.size()) - left_rows < o.min_rows) continue;
        if (left_h < o.min_weight || right_h < o.min_weight) continue;
        double gain = left_g * left_g / (left_h + o.l2) + right_g * right_g / (right_h + o.l2) - whole;
        if (gain > best[static_cast<size_t>(k)].gain) best[static_cast<size_t>(k)] = {gain, static_cast<int>(b)};
      }
    });
    for (size_t k = 0; k < columns.size(); ++k) {
      if (best[k].gain <= leaf.gain) continue;
      leaf.gain = best[k].gain;
      leaf.feature = static_cast<int>(columns[k]);
      leaf.bin = best[k].bin;
    }
  }

  size_t columns_, rows_;
  const std::vector<float>&y_, &weight_;
  Parallel& parallel_;
  std::vector<uint8_t> bins_;  // column by column
  std::vector<std::vector<float>> edges_;
  std::vector<float> score_;
};

}  // namespace llmkit::real
