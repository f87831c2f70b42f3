#include "optim/optimizer.h"

#include <cmath>
#include <cstring>

#include "kernels/reduce.h"

namespace llmkit::optim {

#define LLMKIT_OPTIMIZER(name) Entry<Optimizer> optimizer_##name();
#include "optim/optimizers.def"
#undef LLMKIT_OPTIMIZER

const Registry<Optimizer>& optimizers() {
  static const Registry<Optimizer> registry("optimizer", {
#define LLMKIT_OPTIMIZER(name) optimizer_##name(),
#include "optim/optimizers.def"
#undef LLMKIT_OPTIMIZER
                                                         });
  return registry;
}

void Optimizer::attach(nn::ParameterStore& store) {
  store_ = &store;
  state_.clear();
  auto bytes = static_cast<size_t>(store.flat_size() * element_bytes(store.dtype()));
  for (size_t slot = 0; slot < slots().size(); ++slot) {
    state_.emplace_back(bytes);
    std::memset(state_.back().data(), 0, bytes);
  }
}

void Optimizer::step(const kernels::Exec& ex, const StepArgs& args) {
  if (!store_) throw Error("an optimiser must be attached before its first step");
  dispatch(store_->dtype(), [&]<class T>() { store_->gradients<T>(); });  // untouched ones become zero
  // Neighbours with the same decay setting are one range: a handful of fused passes, not one per parameter.
  const auto& list = store_->list();
  for (size_t i = 0; i < list.size();) {
    size_t j = i + 1;
    while (j < list.size() && list[j].decay == list[i].decay) ++j;
    int64_t end = j < list.size() ? list[j].offset : store_->flat_size();
    update(ex, list[i].offset, end - list[i].offset, list[i].decay, args);
    i = j;
  }
  store_->values_changed();
}

size_t Optimizer::state_bytes() const {
  size_t n = 0;
  for (const MemoryBlock& block : state_) n += block.size();
  return n;
}

double gradient_norm(const kernels::Exec& ex, nn::ParameterStore& store) {
  double sum = 0;
  dispatch(store.dtype(), [&]<class T>() {
    std::span<T> g = store.gradients<T>();  // the padding between parameters is zero
    sum = kernels::sum_of_squares<T>(ex, g.data(), static_cast<int64_t>(g.size()));
  });
  return std::sqrt(sum);
}

double clip_scale(double norm, double max_norm) {
  constexpr double kGuard = 1e-6;  // as torch.nn.utils.clip_grad_norm_
  return max_norm > 0 && norm > max_norm ? max_norm / (norm + kGuard) : 1.0;
}

}  // namespace llmkit::optim
