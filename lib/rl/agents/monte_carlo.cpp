// On-policy Monte Carlo control (Sutton and Barto, 5.4): after each episode every visited pair moves towards the return
// that followed its first (or each) visit; alpha 0 means the plain average of all returns. An episode that was cut
// counts with the return it had until then.
#include <algorithm>

#include "rl/control.h"

namespace llmkit::rl {
namespace {

class MonteCarlo : public Agent {
 public:
  MonteCarlo(double alpha, double epsilon, double initial, bool first_visit)
      : alpha_(alpha), epsilon_(epsilon), initial_(initial), first_visit_(first_visit) {}
  Kind kind() const override { return Kind::control; }
  Learned run(const Problem& problem, Rng& rng) const override {
    const Mdp& mdp = problem.world.mdp;
    ActionTable q(mdp, initial_);
    std::vector<int64_t> returns(mdp.action_values()), first_seen(mdp.action_values());
    std::vector<Transition> path;
    Learned out;
    for (int64_t episode = 0; episode < problem.episodes; ++episode) {
      path.clear();
      int32_t s = problem.world.draw_start(rng);
      double total = 0;
      for (int64_t t = 0; t < problem.max_steps; ++t) {
        int32_t a = q.epsilon_greedy(s, epsilon_, rng);
        const Outcome& o = mdp.sample(s, a, rng);
        path.push_back({s, a, o.reward, o.next, o.ends});
        total += o.reward;
        s = o.next;
        if (o.ends) break;
      }
      for (size_t t = path.size(); t-- > 0;)
        first_seen[mdp.index(path[t].state, path[t].action)] = static_cast<int64_t>(t);
      double g = 0;
      for (size_t t = path.size(); t-- > 0;) {
        g = path[t].reward + problem.gamma * g;
        size_t i = mdp.index(path[t].state, path[t].action);
        if (first_visit_ && first_seen[i] != static_cast<int64_t>(t)) continue;
        double& value = q.at(path[t].state, path[t].action);
        value += (g - value) * (alpha_ > 0 ? alpha_ : 1.0 / static_cast<double>(++returns[i]));
      }
      out.steps += static_cast<int64_t>(path.size());
      out.curve.push_back(total);
    }
    out.values = q.state_values();
    out.action_values = q.values();
    return out;
  }

 private:
  double alpha_, epsilon_, initial_;
  bool first_visit_;
};

}  // namespace

Entry<Agent> monte_carlo_agent() {
  return {{"monte-carlo",
           "control from whole returns, epsilon-greedy",
           "Sutton and Barto 2018, 5.4",
           {{"alpha", ParamType::real, "0", "step size; 0 averages all returns", 0, 1},
            {"epsilon", ParamType::real, "0.1", "probability of a random action", 0, 1},
            {"initial", ParamType::real, "0", "first value of every action", -1e9, 1e9},
            {"first-visit", ParamType::boolean, "true", "a pair counts once an episode"}}},
          [](const Values& v) -> std::unique_ptr<Agent> {
            return std::make_unique<MonteCarlo>(v.real("alpha"), v.real("epsilon"), v.real("initial"),
                                                v.boolean("first-visit"));
          }};
}

}  // namespace llmkit::rl
