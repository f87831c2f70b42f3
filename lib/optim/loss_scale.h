// Dynamic loss scaling (Micikevicius et al., "Mixed precision training", 2018): the backward starts from scale · loss,
// so that small gradients survive in half precision, and the optimiser divides by the scale. A step whose gradients
// overflowed is left out and halves the scale; `growth_interval` good steps in a row double it.
#pragma once

#include <cstdint>

namespace llmkit::optim {

struct LossScaleState {
  double scale = 65536;
  int64_t good_steps = 0;  // since the last change
};

class LossScaler {
 public:
  explicit LossScaler(int64_t growth_interval = 2000) : growth_interval_(growth_interval) {}
  double scale() const { return state_.scale; }
  // After each step; true where the update may be applied.
  bool judge(bool finite);
  const LossScaleState& state() const { return state_; }
  void restore(const LossScaleState& state) { state_ = state; }

 private:
  int64_t growth_interval_;
  LossScaleState state_;
};

}  // namespace llmkit::optim
