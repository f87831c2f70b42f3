// Optimisers over the flat blocks of a ParameterStore. State lives in named flat slots, saved and loaded as they are.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.h"
#include "kernels/exec.h"
#include "nn/parameters.h"

namespace llmkit::optim {

struct StepArgs {
  int64_t step = 1;            // from 1: the bias correction's t
  double learning_rate = 0;
  double grad_scale = 1;       // clipping (and loss scale), folded into the update
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  virtual std::vector<std::string_view> slots() const = 0;  // names of its state, one flat block each: {"exp_avg", "exp_avg_sq"}
  // Allocates zeroed state for `store`; the store must outlive the optimiser.
  void attach(nn::ParameterStore& store);
  // One update of all parameters from their gradients; tells the store that its values changed.
  void step(const kernels::Exec& ex, const StepArgs& args);
  // A slot's whole block (flat, as the store's values), for checkpoints.
  template <class T>
  std::span<T> state(size_t slot) {
    return {static_cast<T*>(static_cast<void*>(state_[slot].data())), static_cast<size_t>(store_->flat_size())};
  }
  size_t state_bytes() const;

 protected:
  // Updates elements [begin, begin + n) of the flat blocks, all with the same decay setting.
  virtual void update(const kernels::Exec& ex, int64_t begin, int64_t n, bool decay, const StepArgs& args) = 0;
  nn::ParameterStore& store() { return *store_; }

 private:
  nn::ParameterStore* store_ = nullptr;
  std::vector<MemoryBlock> state_;
};

const Registry<Optimizer>& optimizers();   // optimizers.def: "adamw:beta2=0.95,weight-decay=0.1"

// Global gradient norm, summed in a fixed tree.
double gradient_norm(const kernels::Exec& ex, nn::ParameterStore& store);
// The factor that brings `norm` down to `max_norm` (1 where it is below, or max_norm is 0): StepArgs::grad_scale.
double clip_scale(double norm, double max_norm);

}  // namespace llmkit::optim
