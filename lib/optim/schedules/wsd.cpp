// Warm-up, stable, decay (Hu et al. 2024): the peak rate until the last part, then down to the floor. The decay is
// linear or 1 - √t, which Hägele et al. (2024) found better.
#include <cmath>

#include "optim/schedule.h"

namespace llmkit::optim {
namespace {

class Wsd : public Schedule {
 public:
  explicit Wsd(const Values& v) : decay_(v.real("decay")), square_root_(v.text("form") == "sqrt") {
    if (!square_root_ && v.text("form") != "linear")
      throw UsageError("wsd: form is linear or sqrt, found '" + v.text("form") + "'");
  }
  double shape(double progress) const override {
    double into = decay_ > 0 ? (progress - (1.0 - decay_)) / decay_ : 0.0;
    if (into <= 0) return 1.0;
    return 1.0 - (square_root_ ? std::sqrt(into) : into);
  }

 private:
  double decay_;
  bool square_root_;
};

}  // namespace

Entry<Schedule> schedule_wsd() {
  return {{"wsd",
           "the peak rate, then a short decay to the floor",
           "Hu et al.: MiniCPM, 2024; Hägele et al.: Scaling laws and compute-optimal training beyond fixed training "
           "durations, 2024",
           {{"decay", ParamType::real, "0.2", "share of the steps after warm-up that decay", 0, 1},
            {"form", ParamType::text, "sqrt", "linear or sqrt"}}},
          [](const Values& v) -> std::unique_ptr<Schedule> { return std::make_unique<Wsd>(v); }};
}

}  // namespace llmkit::optim
