#include "optim/schedule.h"

namespace llmkit::optim {
namespace {

class Constant : public Schedule {
 public:
  double shape(double) const override { return 1.0; }
};

}  // namespace

Entry<Schedule> schedule_constant() {
  return {{"constant", "the peak rate to the end", ""},
          [](const Values&) -> std::unique_ptr<Schedule> { return std::make_unique<Constant>(); }};
}

}  // namespace llmkit::optim
