// ½ (1 + cos πt): half a cosine from the peak to the floor (Loshchilov and Hutter 2017, without restarts).
#include <cmath>
#include <numbers>

#include "optim/schedule.h"

namespace llmkit::optim {
namespace {

class Cosine : public Schedule {
 public:
  double shape(double progress) const override { return 0.5 * (1.0 + std::cos(std::numbers::pi * progress)); }
};

}  // namespace

Entry<Schedule> schedule_cosine() {
  return {{"cosine", "half a cosine from the peak to the floor", "Loshchilov, Hutter: SGDR, 2017"},
          [](const Values&) -> std::unique_ptr<Schedule> { return std::make_unique<Cosine>(); }};
}

}  // namespace llmkit::optim
