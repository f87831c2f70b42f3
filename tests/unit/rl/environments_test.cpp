#include <doctest/doctest.h>

#include <cmath>

#include "rl/dynamic_programming.h"
#include "rl/environment.h"

using namespace llmkit;
using namespace llmkit::rl;

namespace {

double start_value(const Environment& world, const std::vector<double>& values) {
  double sum = 0;
  for (size_t s = 0; s < values.size(); ++s) sum += world.start[s] * values[s];
  return sum;
}

double optimal(std::string_view spec, double gamma) {
  auto world = environments().make(spec);
  return start_value(*world, value_iteration(world->mdp, gamma, 1e-14, 1'000'000).values);
}

std::vector<double> uniform(std::string_view spec, double gamma) {
  auto world = environments().make(spec);
  return policy_values(world->mdp, uniform_policy(world->mdp), gamma).value();
}

}  // namespace

TEST_CASE("every world has proper probabilities, a start and a glyph for each state") {
  for (auto& entry : environments().entries()) {
    CAPTURE(entry.name);
    auto world = environments().make(entry.name);
    CHECK_NOTHROW(world->mdp.check());
    CHECK(world->start.size() == static_cast<size_t>(world->mdp.states()));
    CHECK(world->cells.size() == world->start.size());
    double sum = 0;
    for (size_t s = 0; s < world->start.size(); ++s) {
      sum += world->start[s];
      if (world->start[s] > 0) CHECK_FALSE(world->mdp.terminal(static_cast<int32_t>(s)));
    }
    CHECK(sum == doctest::Approx(1).epsilon(1e-12));
  }
}

TEST_CASE("value and policy iteration agree on every world to 1e-9") {
  for (auto& entry : environments().entries()) {
    CAPTURE(entry.name);
    auto world = environments().make(entry.name);
    for (double gamma : {world->gamma, 0.9}) {
      auto values = value_iteration(world->mdp, gamma, 1e-13, 1'000'000).values;
      auto policy = policy_iteration(world->mdp, gamma, 1000);
      CHECK(policy.converged);
      double worst = 0;
      for (size_t s = 0; s < values.size(); ++s) worst = std::max(worst, std::abs(values[s] - policy.values[s]));
      CHECK(worst < 1e-9);
      CHECK(bellman_residual(world->mdp, values, gamma) < 1e-12);
    }
  }
}

TEST_CASE("FrozenLake has the published values") {
  struct Row {
    const char* spec;
    double gamma, value;
  };
  for (auto [spec, gamma, value] : {Row{"frozen-lake", 1, 14.0 / 17},
                                    {"frozen-lake", 0.999, 0.7855332567},
                                    {"frozen-lake", 0.99, 0.5420259320},
                                    {"frozen-lake", 0.95, 0.1804715784},
                                    {"frozen-lake", 0.9, 0.0688909049},
                                    {"frozen-lake:map=8x8", 0.999, 0.8926354949},
                                    {"frozen-lake:map=8x8", 0.99, 0.4146403618},
                                    {"frozen-lake:map=8x8", 0.95, 0.0482502041},
                                    {"frozen-lake:map=8x8", 0.9, 0.0064111143},
                                    {"frozen-lake:slippery=false", 0.99, 0.9509900499},
                                    {"frozen-lake:map=8x8,slippery=false", 0.99, 0.8775210230},
                                    {"frozen-lake:success=0.5", 0.99, 0.548563},
                                    {"frozen-lake:success=0.9", 0.99, 0.836864}}) {
    CAPTURE(spec);
    CAPTURE(gamma);
    double tolerance = std::string_view(spec).find("success") != std::string_view::npos ? 1e-6 : 1e-9;
    CHECK(std::abs(optimal(spec, gamma) - value) < tolerance);
  }
  CHECK(std::abs(optimal("frozen-lake:map=8x8", 1) - 1) < 1e-6);  // the sweeps creep towards 1
  auto random = uniform("frozen-lake", 1);
  CHECK(std::abs(random[0] - 0.013940) < 1e-6);
  CHECK(std::abs(random[14] - 0.439291) < 1e-6);
}

TEST_CASE("the best success within FrozenLake's time limit is that of the finite horizon") {
  for (auto [spec, value] : {std::pair{"frozen-lake", 0.7441902878}, {"frozen-lake:map=8x8", 0.9132201502}}) {
    auto world = environments().make(spec);
    CHECK(std::abs(start_value(*world, finite_horizon_values(world->mdp, world->max_steps)) - value) < 1e-9);
  }
}

TEST_CASE("FrozenLake's greedy policy is the published one") {
  auto world = environments().make("frozen-lake");
  auto solution = value_iteration(world->mdp, 0.99, 1e-13, 100'000);
  std::vector<int32_t> expected{0, 3, 3, 3, 0, -1, 0, -1, 3, 1, 0, -1, -1, 2, 1, -1};
  CHECK(solution.actions == expected);
}

TEST_CASE("cliff walking has the published values") {
  CHECK(optimal("cliff-walking", 1) == -13);
  CHECK(std::abs(optimal("cliff-walking", 0.99) + 12.2478977) < 1e-6);
  CHECK(std::abs(optimal("cliff-walking", 0.9) + 7.4581342) < 1e-6);
  CHECK(std::abs(optimal("cliff-walking:slippery=true", 1) + 64.7091759) < 1e-6);
  CHECK(std::abs(optimal("cliff-walking:slippery=true", 0.99) + 46.3526722) < 1e-6);
  CHECK(std::abs(optimal("cliff-walking:slippery=true", 0.9) + 9.9364173) < 1e-6);
}

TEST_CASE("the gridworlds of Sutton and Barto have the values of the book") {
  std::vector<double> small{0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0};
  auto v = uniform("gridworld-4x4", 1);
  for (size_t s = 0; s < small.size(); ++s) CHECK(std::abs(v[s] - small[s]) < 1e-9);

  std::vector<double> random{3.31, 8.79, 4.43, 5.32, 1.49, 1.52, 2.99,  2.25,  1.91,  .55,   .05,   .74,  .67,
                             .36,  -.40, -.97, -.44, -.35, -.59, -1.18, -1.86, -1.35, -1.23, -1.42, -1.98};
  v = uniform("gridworld-5x5", 0.9);
  for (size_t s = 0; s < random.size(); ++s) CHECK(std::abs(v[s] - random[s]) < 0.0051);
  auto world = environments().make("gridworld-5x5");
  auto best = value_iteration(world->mdp, 0.9, 1e-13, 100'000).values;
  std::vector<double> top{21.98, 24.42, 21.98, 19.42, 17.48}, bottom{14.42, 16.02, 14.42, 12.98, 11.68};
  for (size_t c = 0; c < 5; ++c) {
    CHECK(std::abs(best[c] - top[c]) < 0.0051);
    CHECK(std::abs(best[20 + c] - bottom[c]) < 0.0051);
  }
}

TEST_CASE("the windy grid takes 15 moves, or 7 with the king's") {
  CHECK(optimal("windy-grid", 1) == -15);
  CHECK(optimal("windy-grid:moves=8", 1) == -7);
  CHECK(optimal("windy-grid:moves=9", 1) == -7);
}

TEST_CASE("the gambler has the published values and the policy of figure 4.3") {
  auto world = environments().make("gambler");
  auto solution = value_iteration(world->mdp, 1, 1e-15, 100'000);
  for (auto [capital, value] :
       {std::pair{1, .002066}, {10, .043463}, {25, .16}, {50, .4}, {51, .403098}, {75, .64}, {99, .964333}})
    CHECK(std::abs(solution.values[static_cast<size_t>(capital)] - value) < 1e-6);
  for (int s = 1; s <= 25; ++s)
    CHECK(solution.actions[static_cast<size_t>(s)] + 1 == (s <= 12 ? s : 25 - s + (s == 25 ? 25 : 0)));
  auto poor = environments().make("gambler:heads=0.25");
  auto v = value_iteration(poor->mdp, 1, 1e-15, 100'000).values;
  CHECK(std::abs(v[25] - .0625) < 1e-9);
  CHECK(std::abs(v[50] - .25) < 1e-9);
  CHECK(std::abs(v[75] - .4375) < 1e-9);
}

TEST_CASE("the random walk is linear under the uniform policy") {
  auto v = uniform("random-walk", 1);
  for (size_t s = 1; s <= 5; ++s) CHECK(std::abs(v[s] - static_cast<double>(s) / 6) < 1e-12);
  v = uniform("random-walk:states=19,left=-1", 1);
  for (size_t s = 1; s <= 19; ++s) CHECK(std::abs(v[s] - (static_cast<double>(s) - 10) / 10) < 1e-12);
}

TEST_CASE("a policy that never ends has no undiscounted value") {
  auto world = environments().make("gridworld-5x5");
  CHECK_FALSE(policy_values(world->mdp, uniform_policy(world->mdp), 1).has_value());
  CHECK_THROWS_AS(policy_iteration(world->mdp, 1, 10), Error);
}

TEST_CASE("bad parameters are usage errors") {
  CHECK_THROWS_AS(environments().make("frozen-lake:map=9x9"), UsageError);
  CHECK_THROWS_AS(environments().make("random-walk:states=4"), UsageError);
  CHECK_THROWS_AS(environments().make("windy-grid:moves=5"), UsageError);
  CHECK_THROWS_AS(environments().make("frozenlake"), UsageError);
}

TEST_CASE("a table that does not add up is refused") {
  Mdp mdp;
  mdp.add_state({{{0.5, 0, 0, true}}});
  CHECK_THROWS_AS(mdp.check(), Error);
  Mdp far;
  far.add_state({{{1, 3, 0, true}}});
  CHECK_THROWS_AS(far.check(), Error);
}
