// Cliff walking (Sutton and Barto, example 6.6; Gymnasium, toy_text/cliffwalking.py): 4x12 cells, from the lower left
// to the lower right corner; every step costs 1, stepping off the cliff between them 100 and back to the start.
#include "rl/environment.h"
#include "rl/grid.h"

namespace llmkit::rl {
namespace {

std::unique_ptr<Environment> make(const Values& values) {
  bool slippery = values.boolean("slippery");
  Grid grid{4, 12};
  const int32_t start = grid.state(3, 0), goal = grid.state(3, 11);
  auto is_cliff = [&](int32_t s) { return s > start && s < goal; };

  auto world = std::make_unique<Environment>();
  world->title = slippery ? "Cliff walking, slippery" : "Cliff walking";
  world->actions = {"↑", "→", "↓", "←"};
  world->columns = grid.columns;
  for (int32_t s = 0; s < grid.states(); ++s) {
    world->cells.push_back(s == start ? "S" : s == goal ? "G" : is_cliff(s) ? "C" : ".");
    world->start.push_back(s == start);
    std::vector<std::vector<Outcome>> actions;
    for (size_t a = 0; a < 4 && s != goal && !is_cliff(s); ++a) {
      auto& outcomes = actions.emplace_back();
      auto add = [&](double probability, size_t direction) {
        int32_t next = grid.step(s, kUpRightDownLeft[direction % 4]);
        bool falls = is_cliff(next);
        outcomes.push_back({probability, falls ? start : next, falls ? -100.0 : -1.0, next == goal});
      };
      if (slippery) add(1.0 / 3, a + 3);
      add(slippery ? 1.0 / 3 : 1, a);
      if (slippery) add(1.0 / 3, a + 1);
    }
    world->mdp.add_state(std::move(actions));
  }
  return world;
}

}  // namespace

Entry<Environment> cliff_walking_environment() {
  return {{"cliff-walking",
           "the short way along a cliff or the safe way round it",
           "Sutton and Barto 2018, example 6.6",
           {{"slippery", ParamType::boolean, "false", "a third of the steps goes astray to each side"}}},
          make};
}

}  // namespace llmkit::rl
