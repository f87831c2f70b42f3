// Exact answers for a finite MDP (Bellman, "Dynamic programming", 1957; Howard, "Dynamic programming and Markov
// processes", 1960). With T v(s) = max_a sum_o p_o (r_o + gamma v(next_o)) the optimal values are the fixed point V* =
// T V*.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "rl/mdp.h"

namespace llmkit::rl {

// Action probabilities of every (state, action), in Mdp::index order.
using Policy = std::vector<double>;
Policy uniform_policy(const Mdp& mdp);
// All weight on one action of each state (-1 in terminal ones).
Policy deterministic_policy(const Mdp& mdp, const std::vector<int32_t>& actions);

double action_value(const Mdp& mdp, const std::vector<double>& values, int32_t state, int32_t action, double gamma);
// The first action within `tolerance` of the best one; -1 in terminal states.
std::vector<int32_t> greedy_actions(const Mdp& mdp, const std::vector<double>& values, double gamma,
                                    double tolerance = 1e-10);

// max_s |T v(s) - v(s)|: zero exactly for V*, and |v - V*| <= residual / (1 - gamma).
double bellman_residual(const Mdp& mdp, const std::vector<double>& values, double gamma);

// V of a policy by Gaussian elimination on (I - gamma P) v = r; nothing where the policy may run for ever and gamma
// is 1.
std::optional<std::vector<double>> policy_values(const Mdp& mdp, const Policy& policy, double gamma);

struct Sweep {
  int64_t number;
  double change;  // the largest of this sweep
  const std::vector<double>& values;
};
using SweepObserver = std::function<void(const Sweep&)>;

struct Solution {
  std::vector<double> values;
  std::vector<int32_t> actions;  // greedy, the first of equals
  int64_t sweeps = 0;            // value iteration: sweeps; policy iteration: improvements
  bool converged = false;
};
// Synchronous sweeps from zero until no value changes by more than `tolerance`.
Solution value_iteration(const Mdp& mdp, double gamma, double tolerance, int64_t max_sweeps,
                         const SweepObserver& observe = {});
// Exact evaluation, then strict improvement, until no action is better by 1e-10. Starts from the uniform policy.
Solution policy_iteration(const Mdp& mdp, double gamma, int64_t max_rounds, const SweepObserver& observe = {});

// The best expected undiscounted return of at most `steps` steps from each state, with a policy that may look at the
// clock.
std::vector<double> finite_horizon_values(const Mdp& mdp, int64_t steps);

}  // namespace llmkit::rl
