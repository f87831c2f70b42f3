#include "rl/control.h"

#include <algorithm>
#include <cmath>

namespace llmkit::rl {

double ActionTable::best(int32_t s) const {
  if (mdp_.terminal(s)) return 0;
  const double* q = &q_[mdp_.index(s, 0)];
  return *std::max_element(q, q + mdp_.actions(s));
}

double ActionTable::expected(int32_t s, double epsilon) const {
  if (mdp_.terminal(s)) return 0;
  const double* q = &q_[mdp_.index(s, 0)];
  double sum = 0;
  for (int32_t a = 0; a < mdp_.actions(s); ++a) sum += q[a];
  return epsilon * sum / mdp_.actions(s) + (1 - epsilon) * best(s);
}

int32_t ActionTable::epsilon_greedy(int32_t s, double epsilon, Rng& rng) const {
  auto count = static_cast<uint64_t>(mdp_.actions(s));
  if (epsilon > 0 && rng.uniform() < epsilon) return static_cast<int32_t>(rng.below(count));
  const double* q = &q_[mdp_.index(s, 0)];
  double best_q = *std::max_element(q, q + count);
  auto ties = static_cast<uint64_t>(std::count(q, q + count, best_q));
  uint64_t skip = ties > 1 ? rng.below(ties) : 0;
  for (int32_t a = 0;; ++a)
    if (q[a] == best_q && skip-- == 0) return a;
}

std::vector<double> ActionTable::state_values() const {
  std::vector<double> out;
  for (int32_t s = 0; s < mdp_.states(); ++s) out.push_back(best(s));
  return out;
}

std::vector<Param> control_params(std::vector<Param> more) {
  std::vector<Param> params{
      {"alpha", ParamType::real, "0.5", "step size", 0, 1},
      {"epsilon", ParamType::real, "0.1", "probability of a random action", 0, 1},
      {"initial", ParamType::real, "0", "first value of every action", -1e9, 1e9},
      {"alpha-power", ParamType::real, "0", "the n-th update of an entry uses alpha / n^power", 0, 1}};
  params.insert(params.end(), more.begin(), more.end());
  return params;
}

ControlParams read_control_params(const Values& values) {
  return {values.real("alpha"), values.real("epsilon"), values.real("initial"), values.real("alpha-power")};
}

double StepSize::operator()(size_t entry) {
  return visits_.empty() ? alpha_ : alpha_ / std::pow(static_cast<double>(++visits_[entry]), power_);
}

}  // namespace llmkit::rl
