#include "engine/gradient_tree.h"

#include <bit>

#include "base/error.h"
#include "kernels/elementwise.h"

namespace llmkit::engine {

int64_t log2_of(int64_t n, const std::string& what) {
  if (n < 1 || !std::has_single_bit(static_cast<uint64_t>(n)))
    throw UsageError(ErrorParts{what + " has to be a power of two", {}, "1, 2, 4, 8, …", std::to_string(n), {}});
  return std::countr_zero(static_cast<uint64_t>(n));
}

GradientTree::GradientTree(nn::ParameterStore& parameters, const GroupRange& range)
    : parameters_(parameters), range_(range) {
  log2_of(range.groups, "the number of gradient groups");
  int64_t levels = log2_of(range.count, "the number of gradient groups of a process");
  for (int64_t level = 0; level < levels; ++level) held_.push_back(parameters.new_gradient_block());
}

double GradientTree::accumulate(Objective& objective, int64_t step, int64_t micro_batches, const kernels::Exec& exec) {
  objective_ = &objective;
  exec_ = &exec;
  step_ = step;
  micro_batches_ = micro_batches;
  return subtree(range_.first, held_.size());
}

double GradientTree::subtree(int64_t first, size_t level) {
  if (level == 0) return leaf(first);
  double left = subtree(first, level - 1);
  MemoryBlock& held = held_[level - 1];
  parameters_.swap_gradients(held);
  double right = subtree(first + (int64_t{1} << (level - 1)), level - 1);
  dispatch(parameters_.dtype(), [&]<class T>() {
    std::span<T> sum = parameters_.gradients<T>();
    kernels::add_to<T>(*exec_, sum.data(), static_cast<const T*>(static_cast<const void*>(held.data())),
                       static_cast<int64_t>(sum.size()));
  });
  return left + right;
}

double GradientTree::leaf(int64_t group) {
  parameters_.clear_gradients();
  double loss = 0;
  int64_t end = (group + 1) * micro_batches_ / range_.groups;
  for (int64_t micro = group * micro_batches_ / range_.groups; micro < end; ++micro)
    loss += objective_->accumulate(step_, micro);
  return loss;
}

}  // namespace llmkit::engine
