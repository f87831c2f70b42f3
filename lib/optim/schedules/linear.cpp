#include "optim/schedule.h"

namespace llmkit::optim {
namespace {

class Linear : public Schedule {
 public:
  double shape(double progress) const override { return 1.0 - progress; }
};

}  // namespace

Entry<Schedule> schedule_linear() {
  return {{"linear", "a straight line from the peak to the floor", ""},
          [](const Values&) -> std::unique_ptr<Schedule> { return std::make_unique<Linear>(); }};
}

}  // namespace llmkit::optim
