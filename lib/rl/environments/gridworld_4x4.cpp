// The small gridworld of Sutton and Barto, example 4.1: two opposite corners end the episode, every step costs 1.
#include "rl/environment.h"
#include "rl/grid.h"

namespace llmkit::rl {
namespace {

std::unique_ptr<Environment> make(const Values&) {
  Grid grid{4, 4};
  auto is_end = [&](int32_t s) { return s == 0 || s == grid.states() - 1; };
  auto world = std::make_unique<Environment>();
  world->title = "Gridworld 4x4";
  world->actions = {"↑", "→", "↓", "←"};
  world->columns = grid.columns;
  for (int32_t s = 0; s < grid.states(); ++s) {
    world->cells.push_back(is_end(s) ? "G" : ".");
    world->start.push_back(is_end(s) ? 0 : 1.0 / 14);
    std::vector<std::vector<Outcome>> actions;
    for (size_t a = 0; a < 4 && !is_end(s); ++a) {
      int32_t next = grid.step(s, kUpRightDownLeft[a]);
      actions.push_back({{1, next, -1, is_end(next)}});
    }
    world->mdp.add_state(std::move(actions));
  }
  return world;
}

}  // namespace

Entry<Environment> gridworld_4x4_environment() {
  return {{"gridworld-4x4", "shortest way to one of two corners", "Sutton and Barto 2018, example 4.1"}, make};
}

}  // namespace llmkit::rl
