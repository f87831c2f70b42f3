// The gradients of a step, summed in an order that does not depend on how many processes share the work.
//
// The micro-batches of a step are divided into `groups` runs of neighbours (a power of two). Inside a group gradients
// accumulate in order; across groups they add in a binary tree over the group numbers:
//   ((g0 + g1) + (g2 + g3)) + ((g4 + g5) + …
// Floating-point addition is not associative, so the number of groups is part of what a run is. A process that has the
// groups of one subtree computes that subtree's sum alone; with neighbours it goes on up the tree (data_parallel.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/objective.h"
#include "kernels/exec.h"
#include "nn/parameters.h"

namespace llmkit::engine {

struct GroupRange {
  int64_t first = 0, count = 1;  // of `groups` in all; a subtree: count a power of two, first a multiple of it
  int64_t groups = 1;
};

class GradientTree {
 public:
  // Holds log2(range.count) blocks of gradients beside the store's own.
  GradientTree(nn::ParameterStore& parameters, const GroupRange& range);

  // Leaves the sum over the range's groups in the gradients of the store and returns their share of the loss.
  // Group g of a step has the micro-batches g·n/groups … (g + 1)·n/groups - 1; it may have none.
  // Where `last` is given, what is to be added behind the last micro-batch is left out, and `last` is told of that
  // micro-batch's backward: once an element of the gradients is final there, add_held() makes it the sum. So a sum can
  // be passed on while the rest is still computed.
  double accumulate(Objective& objective, int64_t step, int64_t micro_batches, const kernels::Exec& exec,
                    BackwardObserver* last = nullptr);
  void add_held(const kernels::Exec& exec, std::byte* gradients, int64_t begin, int64_t size);

 private:
  double subtree(int64_t first, size_t level, BackwardObserver* last);
  double leaf(int64_t group, BackwardObserver* last);
  void add_level(const kernels::Exec& exec, size_t level, std::byte* gradients, int64_t begin, int64_t size);

  nn::ParameterStore& parameters_;
  GroupRange range_;
  std::vector<MemoryBlock> held_;  // of level l: the left sum while the right one is being made
  // Of the step in work.
  Objective* objective_ = nullptr;
  const kernels::Exec* exec_ = nullptr;
  int64_t step_ = 0, micro_batches_ = 0;
};

// 0 for 1, 1 for 2, 2 for 4; throws UsageError where `n` is no power of two.
int64_t log2_of(int64_t n, const std::string& what);

}  // namespace llmkit::engine
