// Watches the loss and the gradient norm of every step and says whether the update may be applied.
//
// Two things go wrong in long runs: a NaN or Inf, and a spike (Chowdhery et al., "PaLM", 2022, section 5.1). A value
// is a spike when it lies more than `sigmas` robust standard deviations above the median of the last `window`
// accepted values (1.4826 x the median absolute deviation). Median and MAD are used, and refused values never enter
// the window, because a running mean and variance is ruined by the first outlier and for good by the first NaN.
// The windows are part of the checkpoint: a resumed run judges exactly as the uninterrupted one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmkit::engine {

enum class AnomalyPolicy {
  log,     // non-finite updates are dropped, spikes are reported and applied
  skip,    // both are dropped
  rewind,  // either takes the run back to a checkpoint, and past the data around it (rewind.h)
  stop     // either ends the run, before the update is applied
};
AnomalyPolicy parse_anomaly_policy(std::string_view name);  // throws UsageError

struct AnomalyOptions {
  AnomalyPolicy policy = AnomalyPolicy::log;
  double sigmas = 8;
  int64_t window = 128;
  int64_t warm_values = 64;      // no spike is called before so many values are in the window
  int64_t max_consecutive = 20;  // so many refused steps in a row end the run under every policy
};

struct AnomalyState {
  std::vector<double> losses, norms;  // oldest first
  int64_t consecutive = 0;            // refused steps in a row
  int64_t total = 0;                  // anomalies so far
};

struct AnomalyVerdict {
  bool apply = true;
  bool rewind = false;
  bool stop = false;
  std::string
      reason;  // empty = nothing unusual; else "loss is NaN", "gradient norm 91.2 is a spike (median 0.8, limit 2.3)"
};

class AnomalyDetector {
 public:
  explicit AnomalyDetector(const AnomalyOptions& options) : options_(options) {}

  AnomalyVerdict judge(double loss, double gradient_norm);

  const AnomalyState& state() const { return state_; }
  void restore(AnomalyState state) { state_ = std::move(state); }

 private:
  AnomalyOptions options_;
  AnomalyState state_;
};

}  // namespace llmkit::engine
