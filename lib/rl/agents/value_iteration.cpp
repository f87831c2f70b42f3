// Value iteration (Bellman 1957): v <- max_a sum p (r + gamma v) over all states until nothing changes.
#include "rl/agent.h"
#include "rl/dynamic_programming.h"

namespace llmkit::rl {
namespace {

class ValueIteration : public Agent {
 public:
  explicit ValueIteration(double tolerance) : tolerance_(tolerance) {}
  Kind kind() const override { return Kind::planning; }
  Learned run(const Problem& problem, Rng&) const override {
    Learned out;
    auto observe = [&](const Sweep& sweep) {
      double value = 0;
      for (size_t s = 0; s < sweep.values.size(); ++s) value += problem.world.start[s] * sweep.values[s];
      out.curve.push_back(value);
    };
    out.values = value_iteration(problem.world.mdp, problem.gamma, tolerance_, problem.episodes, observe).values;
    return out;
  }

 private:
  double tolerance_;
};

}  // namespace

Entry<Agent> value_iteration_agent() {
  return {
      {"value-iteration",
       "sweeps of the optimality equation over the known table",
       "Bellman 1957; Sutton and Barto 2018, 4.4",
       {{"tolerance", ParamType::real, "1e-12", "stop when no value changes by more", 0, 1}}},
      [](const Values& v) -> std::unique_ptr<Agent> { return std::make_unique<ValueIteration>(v.real("tolerance")); }};
}

}  // namespace llmkit::rl
