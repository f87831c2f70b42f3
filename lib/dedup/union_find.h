// Disjoint sets of document numbers (Tarjan, "Efficiency of a good but not linear set union algorithm", 1975). The root
// of a set is its smallest member, so that the result does not depend on the order of the unions. 4 bytes a document.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace llmkit::dedup {

class UnionFind {
 public:
  explicit UnionFind(size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), uint32_t{0}); }

  uint32_t find(uint32_t x) {
    while (parent_[x] != x) x = parent_[x] = parent_[parent_[x]];  // path halving
    return x;
  }
  bool unite(uint32_t a, uint32_t b) {  // false where they were together already
    a = find(a);
    b = find(b);
    if (a == b) return false;
    if (a > b) std::swap(a, b);
    parent_[b] = a;
    return true;
  }
  size_t size() const { return parent_.size(); }

 private:
  std::vector<uint32_t> parent_;
};

}  // namespace llmkit::dedup
