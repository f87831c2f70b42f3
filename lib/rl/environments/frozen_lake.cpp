// FrozenLake (Gymnasium, toy_text/frozen_lake.py): walk from S to G over ice F without falling into a hole H. On
// slippery ice the intended direction has probability `success`, its two perpendiculars share the rest. Reward 1 for
// entering G.
#include <string_view>

#include "rl/environment.h"
#include "rl/grid.h"

namespace llmkit::rl {
namespace {

constexpr std::string_view kMap4 = "SFFFFHFHFFFHHFFG";
constexpr std::string_view kMap8 = "SFFFFFFFFFFFFFFFFFFHFFFFFFFFFHFFFFFHFFFFFHHFFFHFFHFFHFHFFFFHFFFG";

std::unique_ptr<Environment> make(const Values& values) {
  const std::string& size = values.text("map");
  if (size != "4x4" && size != "8x8") throw UsageError({"no such map", "frozen-lake: map", "4x4 or 8x8", size, {}});
  bool slippery = values.boolean("slippery"), small = size == "4x4";
  std::string_view map = small ? kMap4 : kMap8;
  Grid grid{small ? 4 : 8, small ? 4 : 8};
  double success = slippery ? values.real("success") : 1;

  auto world = std::make_unique<Environment>();
  world->title = "FrozenLake " + size + (slippery ? ", slippery" : "");
  world->gamma = 0.99;
  world->max_steps = small ? 100 : 200;
  world->actions = {"←", "↓", "→", "↑"};
  world->columns = grid.columns;
  for (int32_t s = 0; s < grid.states(); ++s) {
    char cell = map[static_cast<size_t>(s)];
    world->cells.emplace_back(1, cell == 'F' ? '.' : cell);
    world->start.push_back(cell == 'S');
    std::vector<std::vector<Outcome>> actions;
    for (size_t a = 0; a < 4 && cell != 'H' && cell != 'G'; ++a) {
      auto& outcomes = actions.emplace_back();
      auto add = [&](double probability, size_t direction) {
        int32_t next = grid.step(s, kLeftDownRightUp[direction % 4]);
        char there = map[static_cast<size_t>(next)];
        outcomes.push_back({probability, next, there == 'G' ? 1.0 : 0.0, there == 'G' || there == 'H'});
      };
      if (slippery) add((1 - success) / 2, a + 3);
      add(success, a);
      if (slippery) add((1 - success) / 2, a + 1);
    }
    world->mdp.add_state(std::move(actions));
  }
  return world;
}

}  // namespace

Entry<Environment> frozen_lake_environment() {
  return {{"frozen-lake",
           "cross slippery ice between holes; reward 1 at the goal",
           "Gymnasium, FrozenLake-v1",
           {{"map", ParamType::text, "4x4", "4x4 or 8x8"},
            {"slippery", ParamType::boolean, "true", "steps may go astray to the sides"},
            {"success", ParamType::real, "0.3333333333333333", "probability of the intended direction", 0, 1}}},
          make};
}

}  // namespace llmkit::rl
