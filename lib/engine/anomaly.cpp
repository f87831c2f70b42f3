#include "engine/anomaly.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/error.h"

namespace llmkit::engine {
namespace {

// Floors of the standard deviation as a share of the median: a window of nearly equal values has no spread to speak of,
// and gradient norms are heavy-tailed, doubling now and then in healthy runs.
constexpr double kLeastLossSpread = 0.01, kLeastNormSpread = 0.25;

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::string text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.4g", value);
  return buffer;
}

// Why `value` is unusual, or nothing.
std::string objection(std::string_view name, double value, const std::vector<double>& window, double least_spread,
                      const AnomalyOptions& options) {
  if (std::isnan(value)) return std::string(name) + " is NaN";
  if (std::isinf(value)) return std::string(name) + " is infinite";
  if (options.sigmas <= 0 || static_cast<int64_t>(window.size()) < options.warm_values) return {};
  double centre = median(window);
  std::vector<double> deviations;
  deviations.reserve(window.size());
  for (double w : window) deviations.push_back(std::abs(w - centre));
  double sigma = std::max(1.4826 * median(std::move(deviations)), least_spread * std::abs(centre));
  double limit = centre + options.sigmas * sigma;
  if (value <= limit) return {};
  return std::string(name) + " " + text(value) + " is a spike (median " + text(centre) + ", limit " + text(limit) + ")";
}

void remember(std::vector<double>& window, double value, int64_t capacity) {
  if (static_cast<int64_t>(window.size()) >= capacity) window.erase(window.begin());
  window.push_back(value);
}

}  // namespace

AnomalyPolicy parse_anomaly_policy(std::string_view name) {
  if (name == "log") return AnomalyPolicy::log;
  if (name == "skip") return AnomalyPolicy::skip;
  if (name == "rewind") return AnomalyPolicy::rewind;
  if (name == "stop") return AnomalyPolicy::stop;
  throw UsageError(ErrorParts{"unknown anomaly policy", {}, "log, skip, rewind or stop", std::string(name), {}});
}

AnomalyVerdict AnomalyDetector::judge(double loss, double gradient_norm) {
  AnomalyVerdict verdict;
  verdict.reason = objection("loss", loss, state_.losses, kLeastLossSpread, options_);
  if (verdict.reason.empty())
    verdict.reason = objection("gradient norm", gradient_norm, state_.norms, kLeastNormSpread, options_);
  if (verdict.reason.empty()) {
    remember(state_.losses, loss, options_.window);
    remember(state_.norms, gradient_norm, options_.window);
    state_.consecutive = 0;
    return verdict;
  }
  ++state_.total;
  ++state_.consecutive;
  bool finite = std::isfinite(loss) && std::isfinite(gradient_norm);
  verdict.apply = finite && options_.policy == AnomalyPolicy::log;
  verdict.rewind = options_.policy == AnomalyPolicy::rewind;
  verdict.stop = options_.policy == AnomalyPolicy::stop;
  // Under `log` a spike is applied and a long plateau at the new level is no failure; only refused steps count.
  if (verdict.apply) {
    state_.consecutive = 0;
    // The level may have changed for good: without this the window would never learn it.
    remember(state_.losses, loss, options_.window);
    remember(state_.norms, gradient_norm, options_.window);
  }
  if (state_.consecutive >= options_.max_consecutive) verdict.stop = true;
  if (verdict.stop) verdict.apply = false;
  return verdict;
}

}  // namespace llmkit::engine
