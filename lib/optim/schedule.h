// Learning-rate schedules: a pure function of the step, so that a resumed run continues where it was.
#pragma once

#include <cstdint>

#include "base/registry.h"

namespace llmkit::optim {

struct ScheduleArgs {
  double peak = 1e-3;        // the learning rate after warm-up
  double floor = 0;          // the last one
  int64_t warmup_steps = 0;  // linear from peak/warmup to peak
  int64_t total_steps = 1;
};

class Schedule {
 public:
  virtual ~Schedule() = default;
  // 1 → 0 over `progress` in [0, 1], the share of the steps after warm-up: the rate is floor + (peak - floor)·shape.
  virtual double shape(double progress) const = 0;
  // The rate of step 0 … total-1.
  double rate(int64_t step, const ScheduleArgs& args) const;
};

const Registry<Schedule>& schedules();  // schedules.def

}  // namespace llmkit::optim
