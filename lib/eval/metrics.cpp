#include "eval/metrics.h"

#include <cmath>

namespace llmkit::eval {

Metric aggregate(const std::vector<Score>& scores, bool exponential) {
  Metric m;
  m.items = static_cast<int64_t>(scores.size());
  double weighted = 0, weight = 0;
  for (auto& s : scores) {
    weighted += s.value * s.weight;
    weight += s.weight;
  }
  if (weight <= 0) return m;
  m.value = weighted / weight;
  if (m.items > 1) {
    double squares = 0;
    for (auto& s : scores) squares += s.weight * s.weight * (s.value - m.value) * (s.value - m.value);
    double n = static_cast<double>(m.items);
    m.standard_error = std::sqrt(n / (n - 1) * squares) / weight;
  }
  if (exponential) {
    m.value = std::exp(m.value);
    m.standard_error *= m.value;
  }
  return m;
}

std::map<std::string, Metric> summarise(const Task& task, const std::vector<std::vector<Score>>& items) {
  std::map<std::string, std::vector<Score>> by_metric;
  for (auto& scores : items)
    for (auto& s : scores) by_metric[s.metric].push_back(s);
  std::map<std::string, Metric> out;
  for (auto& [name, scores] : by_metric) out[name] = aggregate(scores, task.exponential(name));
  return out;
}

}  // namespace llmkit::eval
