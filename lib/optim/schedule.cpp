#include "optim/schedule.h"

#include <algorithm>

namespace llmkit::optim {

#define LLMKIT_SCHEDULE(name) Entry<Schedule> schedule_##name();
#include "optim/schedules.def"
#undef LLMKIT_SCHEDULE

const Registry<Schedule>& schedules() {
  static const Registry<Schedule> registry("schedule", {
#define LLMKIT_SCHEDULE(name) schedule_##name(),
#include "optim/schedules.def"
#undef LLMKIT_SCHEDULE
                                                       });
  return registry;
}

double Schedule::rate(int64_t step, const ScheduleArgs& args) const {
  if (step < args.warmup_steps)
    return args.peak * static_cast<double>(step + 1) / static_cast<double>(args.warmup_steps);
  int64_t after = std::max<int64_t>(1, args.total_steps - args.warmup_steps - 1);
  double progress = std::min(1.0, static_cast<double>(step - args.warmup_steps) / static_cast<double>(after));
  return args.floor + (args.peak - args.floor) * shape(progress);
}

}  // namespace llmkit::optim
