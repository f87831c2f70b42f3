// From the scores of the items to a metric with its standard error.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "eval/task.h"

namespace llmkit::eval {

struct Metric {
  double value = 0;
  double standard_error = 0;  // of the value; 0 where one item alone is not enough to tell
  int64_t items = 0;
};

// value = Σ v·w / Σ w over the scores in order. The standard error is that of the ratio estimator,
// sqrt(n/(n-1) Σ w²(v - value)²) / Σ w (Cochran, "Sampling Techniques", 1977, eq. 2.46), which for equal weights is the
// sample standard deviation over sqrt(n). With `exponential` both are taken through exp (delta method).
Metric aggregate(const std::vector<Score>& scores, bool exponential);

// Metrics by name, over the per-item scores in item order.
std::map<std::string, Metric> summarise(const Task& task, const std::vector<std::vector<Score>>& items);

}  // namespace llmkit::eval
