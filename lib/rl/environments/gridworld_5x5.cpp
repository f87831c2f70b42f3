// The gridworld of Sutton and Barto, example 3.5: every move from A leads to A' with reward 10, from B to B' with
// reward 5; bumping into the edge costs 1. It never ends, so its discount is below 1.
#include "rl/environment.h"
#include "rl/grid.h"

namespace llmkit::rl {
namespace {

std::unique_ptr<Environment> make(const Values&) {
  Grid grid{5, 5};
  const int32_t a = grid.state(0, 1), a_end = grid.state(4, 1), b = grid.state(0, 3), b_end = grid.state(2, 3);
  auto world = std::make_unique<Environment>();
  world->title = "Gridworld 5x5";
  world->gamma = 0.9;
  world->max_steps = 200;
  world->actions = {"↑", "→", "↓", "←"};
  world->columns = grid.columns;
  for (int32_t s = 0; s < grid.states(); ++s) {
    world->cells.push_back(s == a ? "A" : s == b ? "B" : s == a_end ? "a" : s == b_end ? "b" : ".");
    world->start.push_back(1.0 / grid.states());
    std::vector<std::vector<Outcome>> actions;
    for (Move move : kUpRightDownLeft) {
      int32_t next = grid.step(s, move);
      if (s == a)
        actions.push_back({{1, a_end, 10, false}});
      else if (s == b)
        actions.push_back({{1, b_end, 5, false}});
      else
        actions.push_back({{1, next, next == s ? -1.0 : 0.0, false}});
    }
    world->mdp.add_state(std::move(actions));
  }
  return world;
}

}  // namespace

Entry<Environment> gridworld_5x5_environment() {
  return {
      {"gridworld-5x5", "two jumps that pay 10 and 5, without an end", "Sutton and Barto 2018, examples 3.5 and 3.8"},
      make};
}

}  // namespace llmkit::rl
