// Policy iteration (Howard 1960): solve for the values of the policy exactly, act greedily on them, repeat until
// stable.
#include "rl/agent.h"
#include "rl/dynamic_programming.h"

namespace llmkit::rl {
namespace {

class PolicyIteration : public Agent {
 public:
  Kind kind() const override { return Kind::planning; }
  Learned run(const Problem& problem, Rng&) const override {
    Learned out;
    auto observe = [&](const Sweep& sweep) {
      double value = 0;
      for (size_t s = 0; s < sweep.values.size(); ++s) value += problem.world.start[s] * sweep.values[s];
      out.curve.push_back(value);
    };
    out.values = policy_iteration(problem.world.mdp, problem.gamma, problem.episodes, observe).values;
    return out;
  }
};

}  // namespace

Entry<Agent> policy_iteration_agent() {
  return {{"policy-iteration", "exact evaluation and greedy improvement in turn",
           "Howard 1960; Sutton and Barto 2018, 4.3"},
          [](const Values&) -> std::unique_ptr<Agent> { return std::make_unique<PolicyIteration>(); }};
}

}  // namespace llmkit::rl
