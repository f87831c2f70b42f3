// Q-learning (Watkins 1989): q(s,a) += alpha (r + gamma max_b q(s',b) - q(s,a)). Learns the optimal values whatever it
// does.
#include "rl/control.h"

namespace llmkit::rl {
namespace {

class QLearning : public Agent {
 public:
  explicit QLearning(ControlParams params) : params_(params) {}
  Kind kind() const override { return Kind::control; }
  Learned run(const Problem& problem, Rng& rng) const override {
    StepSize step(params_, problem.world.mdp.action_values());
    return learn_by_steps(problem, params_, rng, [&](const Transition& t, ActionTable& q) {
      double target = t.reward + (t.ends ? 0 : problem.gamma * q.best(t.next));
      q.at(t.state, t.action) += step(problem.world.mdp.index(t.state, t.action)) * (target - q.at(t.state, t.action));
    });
  }

 private:
  ControlParams params_;
};

}  // namespace

Entry<Agent> q_learning_agent() {
  return {
      {"q-learning", "off-policy: bootstraps from the best next action", "Watkins 1989; Sutton and Barto 2018, 6.5",
       control_params()},
      [](const Values& v) -> std::unique_ptr<Agent> { return std::make_unique<QLearning>(read_control_params(v)); }};
}

}  // namespace llmkit::rl
