// Monte Carlo prediction (Sutton and Barto, 5.1): the value of a state is the mean return after its first (or each)
// visit; with alpha > 0 the constant-step form of their example 6.2.
#include "rl/prediction.h"

namespace llmkit::rl {
namespace {

class MonteCarloPrediction : public Agent {
 public:
  MonteCarloPrediction(double alpha, double initial, bool first_visit)
      : alpha_(alpha), initial_(initial), first_visit_(first_visit) {}
  Kind kind() const override { return Kind::prediction; }
  Learned run(const Problem& problem, Rng& rng) const override {
    const Mdp& mdp = problem.world.mdp;
    auto v = initial_values(mdp, initial_);
    std::vector<int64_t> returns(v.size()), first_seen(v.size());
    std::vector<std::pair<size_t, double>> path;  // state, reward
    Learned out;
    for (int64_t episode = 0; episode < problem.episodes; ++episode) {
      path.clear();
      int32_t s = problem.world.draw_start(rng);
      for (int64_t t = 0; t < problem.max_steps; ++t) {
        const Outcome& o = uniform_step(mdp, s, rng);
        path.emplace_back(static_cast<size_t>(s), o.reward);
        s = o.next;
        if (o.ends) break;
      }
      for (size_t t = path.size(); t-- > 0;) first_seen[path[t].first] = static_cast<int64_t>(t);
      double g = 0;
      for (size_t t = path.size(); t-- > 0;) {
        auto [state, reward] = path[t];
        g = reward + problem.gamma * g;
        if (first_visit_ && first_seen[state] != static_cast<int64_t>(t)) continue;
        v[state] += (g - v[state]) * (alpha_ > 0 ? alpha_ : 1.0 / static_cast<double>(++returns[state]));
      }
      out.steps += static_cast<int64_t>(path.size());
      out.curve.push_back(rms_error(mdp, v, problem.truth));
    }
    out.values = v;
    return out;
  }

 private:
  double alpha_, initial_;
  bool first_visit_;
};

}  // namespace

Entry<Agent> monte_carlo_prediction_agent() {
  return {{"monte-carlo-prediction", "values of the uniform policy from whole returns", "Sutton and Barto 2018, 5.1",
           prediction_params("0", {{"first-visit", ParamType::boolean, "true", "a state counts once an episode"}}),
           "alpha 0 averages all returns"},
          [](const Values& v) -> std::unique_ptr<Agent> {
            return std::make_unique<MonteCarloPrediction>(v.real("alpha"), v.real("initial"), v.boolean("first-visit"));
          }};
}

}  // namespace llmkit::rl
