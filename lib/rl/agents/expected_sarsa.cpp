// Expected SARSA (van Seijen et al., 2009): q(s,a) += alpha (r + gamma sum_b pi(b|s') q(s',b) - q(s,a)), pi the
// epsilon-greedy policy it follows.
#include "rl/control.h"

namespace llmkit::rl {
namespace {

class ExpectedSarsa : public Agent {
 public:
  explicit ExpectedSarsa(ControlParams params) : params_(params) {}
  Kind kind() const override { return Kind::control; }
  Learned run(const Problem& problem, Rng& rng) const override {
    StepSize step(params_, problem.world.mdp.action_values());
    return learn_by_steps(problem, params_, rng, [&](const Transition& t, ActionTable& q) {
      double target = t.reward + (t.ends ? 0 : problem.gamma * q.expected(t.next, params_.epsilon));
      q.at(t.state, t.action) += step(problem.world.mdp.index(t.state, t.action)) * (target - q.at(t.state, t.action));
    });
  }

 private:
  ControlParams params_;
};

}  // namespace

Entry<Agent> expected_sarsa_agent() {
  return {{"expected-sarsa", "on-policy: bootstraps from the mean over the next actions",
           "van Seijen et al. 2009; Sutton and Barto 2018, 6.6", control_params()},
          [](const Values& v) -> std::unique_ptr<Agent> {
            return std::make_unique<ExpectedSarsa>(read_control_params(v));
          }};
}

}  // namespace llmkit::rl
