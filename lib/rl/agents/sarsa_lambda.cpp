// SARSA(lambda) with replacing traces (Singh and Sutton 1996): the error of each step also moves the state-action pairs
// before it, by (gamma lambda)^k after k steps.
#include "rl/control.h"

namespace llmkit::rl {
namespace {

class SarsaLambda : public Agent {
 public:
  SarsaLambda(ControlParams params, double lambda) : params_(params), lambda_(lambda) {}
  Kind kind() const override { return Kind::control; }
  Learned run(const Problem& problem, Rng& rng) const override {
    const Mdp& mdp = problem.world.mdp;
    ActionTable q(mdp, params_.initial);
    StepSize step(params_, mdp.action_values());
    Learned out;
    for (int64_t episode = 0; episode < problem.episodes; ++episode) {
      int32_t s = problem.world.draw_start(rng), a = q.epsilon_greedy(s, params_.epsilon, rng);
      double total = 0;
      std::vector<Trace> traces;
      for (int64_t t = 0; t < problem.max_steps; ++t) {
        const Outcome& o = mdp.sample(s, a, rng);
        int32_t next_action = o.ends ? 0 : q.epsilon_greedy(o.next, params_.epsilon, rng);
        double error = o.reward + (o.ends ? 0 : problem.gamma * q.at(o.next, next_action)) - q.at(s, a);
        visit(traces, s, a);
        double alpha = step(mdp.index(s, a));
        for (auto& trace : traces) {
          q.at(trace.state, trace.action) += alpha * error * trace.strength;
          trace.strength *= problem.gamma * lambda_;
        }
        std::erase_if(traces, [](const Trace& trace) { return trace.strength < 1e-6; });
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
  struct Trace {
    int32_t state, action;
    double strength;
  };

  static void visit(std::vector<Trace>& traces, int32_t s, int32_t a) {
    for (auto& trace : traces)
      if (trace.state == s && trace.action == a) return void(trace.strength = 1);
    traces.push_back({s, a, 1});
  }

  ControlParams params_;
  double lambda_;
};

}  // namespace

Entry<Agent> sarsa_lambda_agent() {
  return {
      {"sarsa-lambda", "SARSA with replacing eligibility traces", "Singh and Sutton 1996; Sutton and Barto 2018, 12.7",
       control_params({{"lambda", ParamType::real, "0.9", "decay of the traces", 0, 1}})},
      [](const Values& v) -> std::unique_ptr<Agent> {
        return std::make_unique<SarsaLambda>(read_control_params(v), v.real("lambda"));
      }};
}

}  // namespace llmkit::rl
