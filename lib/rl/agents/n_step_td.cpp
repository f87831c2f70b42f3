// n-step TD prediction (Sutton and Barto, 7.1): v(s_t) moves towards r_{t+1} + gamma r_{t+2} + … + gamma^n v(s_{t+n}).
// At the end of an episode the remaining states use the shorter sums; a cut episode bootstraps from the state it was
// cut in.
#include <cmath>

#include "rl/prediction.h"

namespace llmkit::rl {
namespace {

class NStepTd : public Agent {
 public:
  NStepTd(int64_t n, double alpha, double initial) : n_(n), alpha_(alpha), initial_(initial) {}
  Kind kind() const override { return Kind::prediction; }
  Learned run(const Problem& problem, Rng& rng) const override {
    const Mdp& mdp = problem.world.mdp;
    auto v = initial_values(mdp, initial_);
    Learned out;
    std::vector<size_t> states;
    std::vector<double> rewards;  // rewards[t] follows states[t]
    for (int64_t episode = 0; episode < problem.episodes; ++episode) {
      states.assign(1, static_cast<size_t>(problem.world.draw_start(rng)));
      rewards.clear();
      bool ended = false;
      // Moves states[t] with what is known up to states.back().
      auto update = [&](size_t t) {
        double target = ended ? 0 : v[states.back()];
        for (size_t i = rewards.size(); i-- > t;) target = rewards[i] + problem.gamma * target;
        v[states[t]] += alpha_ * (target - v[states[t]]);
      };
      auto n = static_cast<size_t>(n_);
      while (!ended && static_cast<int64_t>(rewards.size()) < problem.max_steps) {
        const Outcome& o = uniform_step(mdp, static_cast<int32_t>(states.back()), rng);
        rewards.push_back(o.reward);
        states.push_back(static_cast<size_t>(o.next));
        ended = o.ends;
        if (rewards.size() >= n) update(rewards.size() - n);
      }
      for (size_t t = rewards.size() >= n ? rewards.size() - n + 1 : 0; t < rewards.size(); ++t) update(t);
      out.steps += static_cast<int64_t>(rewards.size());
      out.curve.push_back(rms_error(mdp, v, problem.truth));
    }
    out.values = v;
    return out;
  }

 private:
  int64_t n_;
  double alpha_, initial_;
};

}  // namespace

Entry<Agent> n_step_td_agent() {
  return {{"n-step-td", "values of the uniform policy from n rewards, then bootstrapping", "Sutton and Barto 2018, 7.1",
           prediction_params("0.35", {{"n", ParamType::integer, "4", "rewards before bootstrapping", 1, 1e6}})},
          [](const Values& v) -> std::unique_ptr<Agent> {
            return std::make_unique<NStepTd>(v.integer("n"), v.real("alpha"), v.real("initial"));
          }};
}

}  // namespace llmkit::rl
