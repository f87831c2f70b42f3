// TD(0) prediction (Sutton 1988): v(s) += alpha (r + gamma v(s') - v(s)).
#include "rl/prediction.h"

namespace llmkit::rl {
namespace {

class Td : public Agent {
 public:
  Td(double alpha, double initial) : alpha_(alpha), initial_(initial) {}
  Kind kind() const override { return Kind::prediction; }
  Learned run(const Problem& problem, Rng& rng) const override {
    const Mdp& mdp = problem.world.mdp;
    auto v = initial_values(mdp, initial_);
    Learned out;
    for (int64_t episode = 0; episode < problem.episodes; ++episode) {
      int32_t s = problem.world.draw_start(rng);
      for (int64_t t = 0; t < problem.max_steps; ++t) {
        const Outcome& o = uniform_step(mdp, s, rng);
        double& value = v[static_cast<size_t>(s)];
        value += alpha_ * (o.reward + (o.ends ? 0 : problem.gamma * v[static_cast<size_t>(o.next)]) - value);
        ++out.steps;
        s = o.next;
        if (o.ends) break;
      }
      out.curve.push_back(rms_error(mdp, v, problem.truth));
    }
    out.values = v;
    return out;
  }

 private:
  double alpha_, initial_;
};

}  // namespace

Entry<Agent> td_agent() {
  return {{"td", "TD(0): values of the uniform policy by one-step bootstrapping",
           "Sutton 1988; Sutton and Barto 2018, 6.1", prediction_params("0.1")},
          [](const Values& v) -> std::unique_ptr<Agent> {
            return std::make_unique<Td>(v.real("alpha"), v.real("initial"));
          }};
}

}  // namespace llmkit::rl
