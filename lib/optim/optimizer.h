// Optimisers over the flat blocks of a ParameterStore. State lives in named flat slots, saved and loaded as they are.
#pragma once

#include <algorithm>
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
  int64_t step = 1;  // from 1: the bias correction's t
  double learning_rate = 0;
  double grad_scale = 1;  // clipping (and loss scale), folded into the update
};

// A run of elements of the flat blocks that one call updates.
struct Range {
  int64_t begin = 0, size = 0;
  bool decay = false;
  const nn::Parameter* matrix = nullptr;  // where the optimiser asked for a parameter as a whole (takes_whole)
};

struct Span {
  int64_t begin = 0, end = 0;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Names of its state, one flat block each: {"exp_avg", "exp_avg_sq"}, and "ema" where attach() was given a decay.
  std::vector<std::string_view> slots() const;
  // Does a parameter have numbers in a slot? Where not, the block is left untouched there and nothing is saved.
  bool holds(size_t slot, const nn::Parameter& parameter) const;
  // Allocates zeroed state for `store`; the store must outlive the optimiser. `ema_decay` > 0 keeps an average of the
  // weights: ema += (1 - d)(p - ema) with d = min(ema_decay, (1 + t) / (10 + t)) after step t. It starts at the
  // weights.
  void attach(nn::ParameterStore& store, double ema_decay = 0);
  // The same where several processes share the state (ZeRO-1: Rajbhandari et al., 2020): this one updates only `share`
  // (ascending; cutting no parameter that must come whole), and only there has its state memory of its own.
  void attach(nn::ParameterStore& store, double ema_decay, std::vector<Span> share);
  bool takes_whole_parameters(const nn::ParameterStore& store) const;
  // Gives the memory of the state outside the share back to the system: what a checkpoint was put together in.
  void forget_others();
  // One update of all parameters from their gradients; tells the store that its values changed.
  void step(const kernels::Exec& ex, const StepArgs& args);
  // A slot's whole block (flat, as the store's values), for checkpoints.
  template <class T>
  std::span<T> state(size_t slot) {
    return {static_cast<T*>(static_cast<void*>(state_[slot].data())), static_cast<size_t>(store_->flat_size())};
  }
  bool averages() const { return ema_decay_ > 0; }
  void swap_average(const kernels::Exec& ex);  // exchanges weights and average; twice is nothing
  size_t state_bytes() const;                  // of the numbers held
  // The same before attach(), of the elements in `share`.
  size_t planned_bytes(const nn::ParameterStore& store, double ema_decay, std::span<const Span> share) const;

 protected:
  virtual std::vector<std::string_view> own_slots() const = 0;
  virtual bool keeps(size_t /*slot*/, const nn::Parameter& /*parameter*/) const { return true; }
  // Must this parameter come alone? Others are joined with neighbours of the same settings into long ranges.
  virtual bool takes_whole(const nn::Parameter& /*parameter*/) const { return false; }
  // Updates one range; args.learning_rate has the range's scale in it.
  virtual void update(const kernels::Exec& ex, const Range& range, const StepArgs& args) = 0;
  nn::ParameterStore& store() { return *store_; }

 private:
  // f(begin, end) for each part of [begin, end) that is in the share.
  template <class F>
  void in_share(int64_t begin, int64_t end, F&& f) const {
    for (const Span& s : share_)
      if (s.begin < end && begin < s.end) f(std::max(begin, s.begin), std::min(end, s.end));
  }
  bool joined(const nn::Parameter& a, const nn::Parameter& b) const;

  nn::ParameterStore* store_ = nullptr;
  std::vector<MemoryBlock> state_;
  std::vector<Span> share_;
  double ema_decay_ = 0;
};

const Registry<Optimizer>& optimizers();  // optimizers.def: "adamw:beta2=0.95,weight-decay=0.1"

// Global gradient norm, summed in a fixed tree.
double gradient_norm(const kernels::Exec& ex, nn::ParameterStore& store);
// The factor that brings `norm` down to `max_norm` (1 where it is below, or max_norm is 0): StepArgs::grad_scale.
double clip_scale(double norm, double max_norm);

}  // namespace llmkit::optim
