#include "rl/dynamic_programming.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace llmkit::rl {
namespace {

size_t at(int32_t s) {
  return static_cast<size_t>(s);
}

double best_value(const Mdp& mdp, const std::vector<double>& values, int32_t s, double gamma) {
  if (mdp.terminal(s)) return 0;
  double best = -std::numeric_limits<double>::infinity();
  for (int32_t a = 0; a < mdp.actions(s); ++a) best = std::max(best, action_value(mdp, values, s, a, gamma));
  return best;
}

// One synchronous sweep v <- T v; the largest change.
double sweep(const Mdp& mdp, double gamma, std::vector<double>& values, std::vector<double>& next) {
  double change = 0;
  for (int32_t s = 0; s < mdp.states(); ++s) {
    next[at(s)] = best_value(mdp, values, s, gamma);
    change = std::max(change, std::abs(next[at(s)] - values[at(s)]));
  }
  values.swap(next);
  return change;
}

// From which states a terminal one can be reached under the policy.
std::vector<bool> can_end(const Mdp& mdp, const Policy& policy) {
  std::vector<bool> ends(at(mdp.states()));
  for (bool changed = true; changed;) {
    changed = false;
    for (int32_t s = 0; s < mdp.states(); ++s) {
      if (ends[at(s)]) continue;
      bool found = mdp.terminal(s);
      for (int32_t a = 0; a < mdp.actions(s) && !found; ++a) {
        if (policy[mdp.index(s, a)] <= 0) continue;
        for (auto& o : mdp.outcomes(s, a)) found = found || (o.probability > 0 && (o.ends || ends[at(o.next)]));
      }
      if (found) ends[at(s)] = changed = true;
    }
  }
  return ends;
}

}  // namespace

Policy uniform_policy(const Mdp& mdp) {
  Policy policy(mdp.action_values());
  for (int32_t s = 0; s < mdp.states(); ++s)
    for (int32_t a = 0; a < mdp.actions(s); ++a) policy[mdp.index(s, a)] = 1.0 / mdp.actions(s);
  return policy;
}

Policy deterministic_policy(const Mdp& mdp, const std::vector<int32_t>& actions) {
  Policy policy(mdp.action_values());
  for (int32_t s = 0; s < mdp.states(); ++s)
    if (!mdp.terminal(s)) policy[mdp.index(s, actions[at(s)])] = 1;
  return policy;
}

double action_value(const Mdp& mdp, const std::vector<double>& values, int32_t state, int32_t action, double gamma) {
  double sum = 0;
  for (auto& o : mdp.outcomes(state, action))
    sum += o.probability * (o.reward + (o.ends ? 0 : gamma * values[at(o.next)]));
  return sum;
}

std::vector<int32_t> greedy_actions(const Mdp& mdp, const std::vector<double>& values, double gamma, double tolerance) {
  std::vector<int32_t> actions(at(mdp.states()), -1);
  for (int32_t s = 0; s < mdp.states(); ++s) {
    if (mdp.terminal(s)) continue;
    double best = best_value(mdp, values, s, gamma);
    int32_t a = 0;
    while (action_value(mdp, values, s, a, gamma) < best - tolerance) ++a;
    actions[at(s)] = a;
  }
  return actions;
}

double bellman_residual(const Mdp& mdp, const std::vector<double>& values, double gamma) {
  double worst = 0;
  for (int32_t s = 0; s < mdp.states(); ++s)
    worst = std::max(worst, std::abs(best_value(mdp, values, s, gamma) - values[at(s)]));
  return worst;
}

std::optional<std::vector<double>> policy_values(const Mdp& mdp, const Policy& policy, double gamma) {
  if (gamma >= 1) {
    auto ends = can_end(mdp, policy);
    if (std::find(ends.begin(), ends.end(), false) != ends.end()) return std::nullopt;
  }
  // Rows of (I - gamma P | r), then Gauss-Jordan elimination with partial pivoting.
  size_t n = at(mdp.states()), width = n + 1;
  std::vector<double> m(n * width);
  for (int32_t s = 0; s < mdp.states(); ++s) {
    double* row = &m[at(s) * width];
    row[at(s)] = 1;
    for (int32_t a = 0; a < mdp.actions(s); ++a) {
      for (auto& o : mdp.outcomes(s, a)) {
        double p = policy[mdp.index(s, a)] * o.probability;
        row[n] += p * o.reward;
        if (!o.ends) row[o.next] -= gamma * p;
      }
    }
  }
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::abs(m[i * width + k]) > std::abs(m[pivot * width + k])) pivot = i;
    if (std::abs(m[pivot * width + k]) < 1e-14) return std::nullopt;
    if (pivot != k) std::swap_ranges(&m[k * width], &m[k * width] + width, &m[pivot * width]);
    for (size_t i = 0; i < n; ++i) {
      double factor = m[i * width + k] / m[k * width + k];
      if (i == k || factor == 0) continue;
      for (size_t j = k; j < width; ++j) m[i * width + j] -= factor * m[k * width + j];
    }
  }
  std::vector<double> values(n);
  for (size_t s = 0; s < n; ++s) values[s] = m[s * width + n] / m[s * width + s];
  return values;
}

Solution value_iteration(const Mdp& mdp, double gamma, double tolerance, int64_t max_sweeps,
                         const SweepObserver& observe) {
  Solution solution;
  solution.values.assign(at(mdp.states()), 0);
  std::vector<double> next(at(mdp.states()));
  while (solution.sweeps < max_sweeps && !solution.converged) {
    double change = sweep(mdp, gamma, solution.values, next);
    ++solution.sweeps;
    solution.converged = change <= tolerance;
    if (observe) observe({solution.sweeps, change, solution.values});
  }
  solution.actions = greedy_actions(mdp, solution.values, gamma);
  return solution;
}

Solution policy_iteration(const Mdp& mdp, double gamma, int64_t max_rounds, const SweepObserver& observe) {
  constexpr double kStrictly = 1e-10;
  Solution solution;
  Policy policy = uniform_policy(mdp);
  std::vector<double> before(at(mdp.states()));
  std::vector<int32_t> current(at(mdp.states()), -1);  // -1: still the uniform policy
  while (solution.sweeps < max_rounds && !solution.converged) {
    auto values = policy_values(mdp, policy, gamma);
    if (!values)
      throw Error({"a policy runs for ever",
                   "policy iteration",
                   "a discount below 1 or a world that always ends",
                   {},
                   "use a smaller --gamma"});
    double change = 0;
    for (size_t s = 0; s < values->size(); ++s) change = std::max(change, std::abs((*values)[s] - before[s]));
    before = *values;
    auto greedy = greedy_actions(mdp, *values, gamma, 0);
    solution.converged = true;
    for (int32_t s = 0; s < mdp.states(); ++s) {
      if (mdp.terminal(s)) continue;
      double now = current[at(s)] < 0 ? -std::numeric_limits<double>::infinity()
                                      : action_value(mdp, *values, s, current[at(s)], gamma);
      if (best_value(mdp, *values, s, gamma) <= now + kStrictly) continue;
      current[at(s)] = greedy[at(s)];
      solution.converged = false;
    }
    policy = deterministic_policy(mdp, current);
    ++solution.sweeps;
    if (observe) observe({solution.sweeps, change, *values});
  }
  solution.values = before;
  solution.actions = current;
  return solution;
}

std::vector<double> finite_horizon_values(const Mdp& mdp, int64_t steps) {
  std::vector<double> values(at(mdp.states())), next(at(mdp.states()));
  for (int64_t i = 0; i < steps; ++i) sweep(mdp, 1, values, next);
  return values;
}

}  // namespace llmkit::rl
