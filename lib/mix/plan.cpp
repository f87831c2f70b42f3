#include "mix/plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace llmkit::mix {

std::vector<uint64_t> largest_remainder(const std::vector<double>& parts, uint64_t total) {
  long double sum = std::accumulate(parts.begin(), parts.end(), 0.0L);
  std::vector<uint64_t> out(parts.size());
  std::vector<std::pair<long double, size_t>> remainders;
  uint64_t given = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] <= 0) continue;
    long double exact = static_cast<long double>(total) * parts[i] / sum;
    out[i] = std::min(static_cast<uint64_t>(std::floor(exact)), total - given);
    given += out[i];
    remainders.emplace_back(exact - static_cast<long double>(out[i]), i);
  }
  std::stable_sort(remainders.begin(), remainders.end(), [](auto& a, auto& b) { return a.first > b.first; });
  for (size_t k = 0; k < remainders.size() && given < total; ++k, ++given) ++out[remainders[k].second];
  return out;
}

Plan make_plan(const std::vector<SourceSize>& sources, const PlanOptions& options) {
  size_t n = sources.size();
  std::vector<double> shares(n);
  std::vector<uint64_t> caps(n);
  for (size_t i = 0; i < n; ++i) {
    double weight = sources[i].weight > 0 ? sources[i].weight : static_cast<double>(sources[i].units);
    shares[i] = std::pow(weight, 1 / options.temperature);
    caps[i] = static_cast<uint64_t>(std::floor(options.max_epochs * static_cast<double>(sources[i].units)));
  }
  double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share = sum > 0 ? share / sum : 0;

  uint64_t left = options.budget;
  if (left == 0) {  // the source that runs out first sets the size
    double most = std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < n; ++i)
      if (shares[i] > 0) most = std::min(most, static_cast<double>(caps[i]) / shares[i]);
    left = std::isfinite(most) ? static_cast<uint64_t>(std::floor(most * (1 + 1e-12))) : 0;
  }

  Plan plan;
  plan.sources.resize(n);
  const uint64_t budget = left;
  std::vector<double> open = shares;
  for (bool again = true; again;) {
    again = false;
    auto amounts = largest_remainder(open, left);
    for (size_t i = 0; i < n; ++i) {
      if (open[i] <= 0 || amounts[i] <= caps[i]) continue;
      plan.sources[i] = {shares[i], caps[i], true};
      open[i] = 0;
      again = true;
    }
    if (again) {
      left = budget;
      for (auto& source : plan.sources) left -= source.capped ? source.units : 0;
      continue;
    }
    for (size_t i = 0; i < n; ++i)
      if (!plan.sources[i].capped) plan.sources[i] = {shares[i], amounts[i], false};
  }
  for (auto& source : plan.sources) plan.total += source.units;
  return plan;
}

}  // namespace llmkit::mix
