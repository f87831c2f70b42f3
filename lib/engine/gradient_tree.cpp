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

double GradientTree::accumulate(Objective& objective, int64_t step, int64_t micro_batches, const kernels::Exec& exec,
                                BackwardObserver* last) {
  objective_ = &objective;
  exec_ = &exec;
  step_ = step;
  micro_batches_ = micro_batches;
  return subtree(range_.first, held_.size(), last);
}

double GradientTree::subtree(int64_t first, size_t level, BackwardObserver* last) {
  if (level == 0) return leaf(first, last);
  double left = subtree(first, level - 1, nullptr);
  parameters_.swap_gradients(held_[level - 1]);
  double right = subtree(first + (int64_t{1} << (level - 1)), level - 1, last);
  if (!last) {
    dispatch(parameters_.dtype(), [&]<class T>() { parameters_.gradients<T>(); });  // untouched ones become zero
    add_level(*exec_, level - 1, parameters_.gradient_block(), 0, parameters_.flat_size());
  }
  return left + right;
}

double GradientTree::leaf(int64_t group, BackwardObserver* last) {
  parameters_.clear_gradients();
  double loss = 0;
  int64_t end = (group + 1) * micro_batches_ / range_.groups;
  for (int64_t micro = group * micro_batches_ / range_.groups; micro < end; ++micro) {
    if (micro + 1 == end) objective_->observe_backward(last);
    loss += objective_->accumulate(step_, micro);
  }
  objective_->observe_backward(nullptr);
  return loss;
}

void GradientTree::add_held(const kernels::Exec& exec, std::byte* gradients, int64_t begin, int64_t size) {
  for (size_t level = 0; level < held_.size(); ++level) add_level(exec, level, gradients, begin, size);
}

void GradientTree::add_level(const kernels::Exec& exec, size_t level, std::byte* gradients, int64_t begin,
                             int64_t size) {
  dispatch(parameters_.dtype(), [&]<class T>() {
    auto elements = [&](std::byte* block) { return static_cast<T*>(static_cast<void*>(block)) + begin; };
    kernels::add_to<T>(exec, elements(gradients), elements(held_[level].data()), size);
  });
}

}  // namespace llmkit::engine
