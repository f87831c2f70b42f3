#include <doctest/doctest.h>

#include <cmath>

#include "rl/experiment.h"
#include "stage.h"

using namespace llmkit;
using namespace llmkit::rl;

namespace {

ExperimentResult experiment(std::string_view world_spec, std::string_view agent, ExperimentOptions options,
                            Parallel& parallel, uint64_t seed = 1) {
  StopFlag stop;
  NoProgress progress;
  Context context{parallel, stop, progress, seed};
  auto world = environments().make(world_spec);
  return run_experiment(*world, exact_truth(*world, options), agent, options, context);
}

ExperimentResult experiment(std::string_view world, std::string_view agent, ExperimentOptions options) {
  Parallel parallel(0);
  return experiment(world, agent, options, parallel);
}

// The RMS error averaged over the first ten episodes, as in figures 7.2 and 12.6 of Sutton and Barto.
double early_error(std::string_view agent, int64_t runs) {
  auto result = experiment("random-walk:states=19,left=-1", agent, {runs, 10});
  double sum = 0;
  for (double x : result.mean) sum += x / 10;
  return sum;
}

}  // namespace

TEST_CASE(
    "on the cliff Expected SARSA earns most while learning, Q-learning least, and their greedy policies the reverse") {
  ExperimentOptions options{200, 500};
  auto sarsa = experiment("cliff-walking", "sarsa", options), q = experiment("cliff-walking", "q-learning", options),
       expected = experiment("cliff-walking", "expected-sarsa", options);
  CHECK(sarsa.last_mean > -31);
  CHECK(sarsa.last_mean < -24);
  CHECK(q.last_mean > -54);
  CHECK(q.last_mean < -46);
  CHECK(expected.last_mean > -22.5);
  CHECK(expected.last_mean < -19.5);
  CHECK(sarsa.first_mean == doctest::Approx(-71.3).epsilon(0.05));
  CHECK(q.first_mean == doctest::Approx(-80.6).epsilon(0.05));
  CHECK(q.optimal_share == 1);
  CHECK(q.greedy_value == -13);
  CHECK(expected.greedy_value == doctest::Approx(-15).epsilon(0.03));
  CHECK(sarsa.greedy_value < expected.greedy_value);
}

TEST_CASE("TD beats Monte Carlo on the five-state walk by the published errors") {
  ExperimentOptions options{3000, 100};
  auto after_100 = [&](const char* agent) { return experiment("random-walk", agent, options).mean.back(); };
  CHECK(after_100("td:alpha=0.05,initial=0.5") == doctest::Approx(.0354).epsilon(0.05));
  CHECK(after_100("td:alpha=0.15,initial=0.5") == doctest::Approx(.0704).epsilon(0.05));
  CHECK(after_100("monte-carlo-prediction:alpha=0.01,initial=0.5,first-visit=false") ==
        doctest::Approx(.0970).epsilon(0.05));
  CHECK(after_100("monte-carlo-prediction:alpha=0.04,initial=0.5,first-visit=false") ==
        doctest::Approx(.1066).epsilon(0.05));
}

TEST_CASE("n-step TD has the errors of figure 7.2 and is best at n = 4") {
  double one = early_error("n-step-td:n=1,alpha=0.8", 1000), four = early_error("n-step-td:n=4,alpha=0.35", 1000),
         sixteen = early_error("n-step-td:n=16,alpha=0.15", 1000);
  CHECK(one == doctest::Approx(.345).epsilon(0.05));
  CHECK(four == doctest::Approx(.265).epsilon(0.05));
  CHECK(sixteen == doctest::Approx(.310).epsilon(0.05));
  CHECK(early_error("td:alpha=0.8", 1000) == doctest::Approx(one).epsilon(0.03));
}

TEST_CASE("TD(lambda) has the error of figure 12.6 at lambda 0.8, and is TD(0) at lambda 0") {
  CHECK(early_error("td-lambda:lambda=0.8,alpha=0.3", 1000) == doctest::Approx(.260).epsilon(0.05));
  CHECK(early_error("td-lambda:lambda=0,alpha=0.8", 300) ==
        doctest::Approx(early_error("td:alpha=0.8", 300)).epsilon(0.05));
}

TEST_CASE("averaging Monte Carlo returns approaches the exact values, first visit or every visit") {
  for (auto agent : {"monte-carlo-prediction", "monte-carlo-prediction:first-visit=false"})
    CHECK(experiment("gridworld-4x4", agent, {4, 12'000}).max_error < 1.0);  // values reach from -14 to -22
}

TEST_CASE("with falling steps Q-learning's values approach V*") {
  auto result = experiment("frozen-lake", "q-learning:alpha-power=0.7,alpha=1,epsilon=1", {1, 60'000, 0, 0.95});
  CHECK(result.max_error < 0.04);
  CHECK(result.residual < 0.04);
  CHECK(result.optimal_share == 1);
}

TEST_CASE("SARSA finishes about 160 episodes of the windy grid in 8000 steps") {
  auto result = experiment("windy-grid", "sarsa", {50, 160});
  double steps = static_cast<double>(result.steps) / 50;
  CHECK(steps > 6500);
  CHECK(steps < 9500);
}

TEST_CASE("every learner improves on the cliff and every predictor's error falls") {
  for (auto& entry : agents().entries()) {
    CAPTURE(entry.name);
    auto kind = agents().make(entry.name)->kind();
    bool predicts = kind == Agent::Kind::prediction;
    auto result = experiment(predicts ? "random-walk:states=9" : "gridworld-4x4", entry.name, {20, 300});
    CHECK(result.agent == entry.name);
    if (predicts)
      CHECK(result.last_mean < result.mean[0]);
    else if (kind == Agent::Kind::control)
      CHECK(result.last_mean > result.mean[0]);
    else
      CHECK(result.max_error < 1e-9);
    if (!predicts) CHECK(result.greedy_value > -3);  // V* is -2
  }
}

TEST_CASE("an agent's curve is the same for one and eight threads, and differs between seeds") {
  ExperimentOptions options{200, 100};
  auto run = [&](int threads, uint64_t seed) {
    Parallel parallel(threads);
    auto result = experiment("cliff-walking", "q-learning", options, parallel, seed);
    if (threads > 1) {
      // On a busy machine a second worker may come late.
      for (int i = 0; i < 50 && parallel.stats().least_tiles < 3; ++i)
        CHECK(experiment("cliff-walking", "q-learning", options, parallel, seed).mean == result.mean);
      CHECK(parallel.stats().workers >= 2);
      CHECK(parallel.stats().least_tiles >= 3);
    }
    return result;
  };
  auto one = run(1, 7), eight = run(8, 7), other = run(1, 8);
  CHECK(one.mean == eight.mean);
  CHECK(one.error == eight.error);
  CHECK(one.values == eight.values);
  CHECK(one.mean != other.mean);
}

TEST_CASE("values that grow without bound are an error, not an endless loop") {
  CHECK_THROWS_AS(experiment("gridworld-5x5", "q-learning", {1, 1, 0, 1.0}), Error);
}
