// What the control methods share: a table of action values with an epsilon-greedy policy on it, and the step size.
#pragma once

#include <cstdint>
#include <vector>

#include "rl/agent.h"

namespace llmkit::rl {

class ActionTable {
 public:
  ActionTable(const Mdp& mdp, double initial) : mdp_(mdp), q_(mdp.action_values(), initial) {}

  double& at(int32_t s, int32_t a) { return q_[mdp_.index(s, a)]; }
  double best(int32_t s) const;                                       // max_a q(s, a), 0 in terminal states
  double expected(int32_t s, double epsilon) const;                   // mean of q(s, .) under the epsilon-greedy policy
  int32_t epsilon_greedy(int32_t s, double epsilon, Rng& rng) const;  // ties are broken at random
  const std::vector<double>& values() const { return q_; }
  std::vector<double> state_values() const;  // best() of each state

 private:
  const Mdp& mdp_;
  std::vector<double> q_;
};

struct ControlParams {
  double alpha, epsilon, initial, alpha_power;
};
std::vector<Param> control_params(std::vector<Param> more = {});
ControlParams read_control_params(const Values& values);

// alpha / n^power at the n-th update of an entry. Power 0 is the constant step of the textbook examples; between 0.5
// and 1 the steps meet the conditions of stochastic approximation, and the values converge to the exact ones.
class StepSize {
 public:
  StepSize(const ControlParams& params, size_t entries)
      : alpha_(params.alpha), power_(params.alpha_power), visits_(power_ > 0 ? entries : 0) {}
  double operator()(size_t entry);

 private:
  double alpha_, power_;
  std::vector<int64_t> visits_;
};

// One step in the world, as a learner sees it.
struct Transition {
  int32_t state, action;
  double reward;
  int32_t next;
  bool ends;
};

// The loop that one-step methods with an epsilon-greedy behaviour share: `learn(transition, table)` updates the table.
template <class Learn>
Learned learn_by_steps(const Problem& problem, const ControlParams& params, Rng& rng, Learn&& learn) {
  const Mdp& mdp = problem.world.mdp;
  ActionTable table(mdp, params.initial);
  Learned out;
  for (int64_t episode = 0; episode < problem.episodes; ++episode) {
    int32_t s = problem.world.draw_start(rng);
    double total = 0;
    for (int64_t t = 0; t < problem.max_steps; ++t) {
      int32_t a = table.epsilon_greedy(s, params.epsilon, rng);
      const Outcome& o = mdp.sample(s, a, rng);
      learn(Transition{s, a, o.reward, o.next, o.ends}, table);
      total += o.reward;
      ++out.steps;
      s = o.next;
      if (o.ends) break;
    }
    out.curve.push_back(total);
  }
  out.values = table.state_values();
  out.action_values = table.values();
  return out;
}

}  // namespace llmkit::rl
