// TD(lambda) with accumulating traces (Sutton 1988): delta = r + gamma v(s') - v(s); z <- gamma lambda z + e_s; v +=
// alpha delta z.
#include "rl/prediction.h"

namespace llmkit::rl {
namespace {

class TdLambda : public Agent {
 public:
  TdLambda(double lambda, double alpha, double initial) : lambda_(lambda), alpha_(alpha), initial_(initial) {}
  Kind kind() const override { return Kind::prediction; }
  Learned run(const Problem& problem, Rng& rng) const override {
    const Mdp& mdp = problem.world.mdp;
    auto v = initial_values(mdp, initial_);
    Learned out;
    std::vector<double> trace(v.size());
    for (int64_t episode = 0; episode < problem.episodes; ++episode) {
      std::fill(trace.begin(), trace.end(), 0);
      int32_t s = problem.world.draw_start(rng);
      for (int64_t t = 0; t < problem.max_steps; ++t) {
        const Outcome& o = uniform_step(mdp, s, rng);
        double error =
            o.reward + (o.ends ? 0 : problem.gamma * v[static_cast<size_t>(o.next)]) - v[static_cast<size_t>(s)];
        for (double& z : trace) z *= problem.gamma * lambda_;
        trace[static_cast<size_t>(s)] += 1;
        for (size_t i = 0; i < v.size(); ++i) v[i] += alpha_ * error * trace[i];
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
  double lambda_, alpha_, initial_;
};

}  // namespace

Entry<Agent> td_lambda_agent() {
  return {{"td-lambda", "values of the uniform policy with accumulating eligibility traces",
           "Sutton 1988; Sutton and Barto 2018, 12.2",
           prediction_params("0.3", {{"lambda", ParamType::real, "0.8", "decay of the traces", 0, 1}})},
          [](const Values& v) -> std::unique_ptr<Agent> {
            return std::make_unique<TdLambda>(v.real("lambda"), v.real("alpha"), v.real("initial"));
          }};
}

}  // namespace llmkit::rl
