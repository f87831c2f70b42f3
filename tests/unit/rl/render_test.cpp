#include "rl/render.h"

#include <doctest/doctest.h>

using namespace llmkit;
using namespace llmkit::rl;

TEST_CASE("the optimal policy of the cliff is drawn along the edge, and its rollout takes 13 steps") {
  auto world = environments().make("cliff-walking");
  auto solution = value_iteration(world->mdp, 1, 1e-12, 1000);
  CHECK(draw_policy(*world, solution.actions).ends_with(" ↑ C C C C C C C C C C G\n"));
  CHECK(draw_values(*world, solution.values).find("  -13.000") != std::string::npos);
  Rng rng{1};
  std::string rollout = draw_rollout(*world, solution.actions, 100, rng);
  CHECK(rollout.starts_with("(3,0) ↑ (2,0) → (2,1)"));
  CHECK(rollout.ends_with("13 steps, return -13\n"));
}

TEST_CASE("a rollout that does not end is cut and says so") {
  auto world = environments().make("cliff-walking");
  std::vector<int32_t> always_left(48, 3);
  Rng rng{1};
  CHECK(draw_rollout(*world, always_left, 60, rng).ends_with("60 steps, return -60, cut: it did not end\n"));
}

TEST_CASE("stretches of a curve are averaged, and drawn from low to high") {
  CHECK(stretch_means({1, 3, 5, 7, 9, 11}, 3) == std::vector<double>{2, 6, 10});
  CHECK(stretch_means({1, 2}, 5) == std::vector<double>{1, 2});
  CHECK(sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 8) == "▁▂▃▄▅▆▇█");
  CHECK(sparkline({5, 5}, 8) == "▁▁");
  CHECK(sparkline({}, 8).empty());
}

TEST_CASE("a plot has its curves, its reference and its names") {
  std::string picture = plot({{"first", {0, 1, 2, 3}}, {"second", {3, 3, 3, 3}}}, 4, "V*", 20, 9);
  for (auto part : {"A first", "B second", "- V* 4", "- - -"}) CHECK(picture.find(part) != std::string::npos);
  CHECK(plot({{"flat", {1}}}, 1, "V*", 10, 5).find('A') != std::string::npos);
}
