#include "optim/loss_scale.h"

#include <algorithm>

namespace llmkit::optim {

namespace {
constexpr double kSmallest = 1, kLargest = 16777216;  // 2^24
}

bool LossScaler::judge(bool finite) {
  if (!finite) {
    state_ = {std::max(kSmallest, state_.scale / 2), 0};
    return false;
  }
  if (++state_.good_steps >= growth_interval_) state_ = {std::min(kLargest, state_.scale * 2), 0};
  return true;
}

}  // namespace llmkit::optim
