// SARSA (Rummery and Niranjan 1994): q(s,a) += alpha (r + gamma q(s',a') - q(s,a)) with the action a' that comes next.
// It learns the values of the policy it follows, exploration included: on the cliff it prefers the safe way.
#include "rl/control.h"

namespace llmkit::rl {
namespace {

class Sarsa : public Agent {
 public:
  explicit Sarsa(ControlParams params) : params_(params) {}
  Kind kind() const override { return Kind::control; }
  Learned run(const Problem& problem, Rng& rng) const override {
    const Mdp& mdp = problem.world.mdp;
    ActionTable q(mdp, params_.initial);
    StepSize step(params_, mdp.action_values());
    Learned out;
    for (int64_t episode = 0; episode < problem.episodes; ++episode) {
      int32_t s = problem.world.draw_start(rng), a = q.epsilon_greedy(s, params_.epsilon, rng);
      double total = 0;
      for (int64_t t = 0; t < problem.max_steps; ++t) {
        const Outcome& o = mdp.sample(s, a, rng);
        int32_t next_action = o.ends ? 0 : q.epsilon_greedy(o.next, params_.epsilon, rng);
        double target = o.reward + (o.ends ? 0 : problem.gamma * q.at(o.next, next_action));
        q.at(s, a) += step(mdp.index(s, a)) * (target - q.at(s, a));
        total += o.reward;
        ++out.steps;
        if (o.ends) break;
        s = o.next;
        a = next_action;
      }
      out.curve.push_back(total);
    }
    out.values = q.state_values();
    out.action_values = q.values();
    return out;
  }

 private:
  ControlParams params_;
};

}  // namespace

Entry<Agent> sarsa_agent() {
  return {{"sarsa", "on-policy: bootstraps from the action taken next",
           "Rummery and Niranjan 1994; Sutton and Barto 2018, 6.4", control_params()},
          [](const Values& v) -> std::unique_ptr<Agent> { return std::make_unique<Sarsa>(read_control_params(v)); }};
}

}  // namespace llmkit::rl
