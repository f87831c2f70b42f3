// The random walk of Sutton and Barto, examples 6.2 (5 states) and 7.1 (19 states, left end -1): a chain that ends on
// either side, the right end pays 1. Under the uniform policy the values are linear in the position.
#include "rl/environment.h"

namespace llmkit::rl {
namespace {

std::unique_ptr<Environment> make(const Values& values) {
  auto states = static_cast<int32_t>(values.integer("states"));
  if (states % 2 == 0)
    throw UsageError({"no middle state", "random-walk: states", "an odd number", std::to_string(states), {}});
  double left = values.real("left");
  auto world = std::make_unique<Environment>();
  world->title = "Random walk, " + std::to_string(states) + " states";
  world->actions = {"←", "→"};
  world->columns = states + 2;
  for (int32_t s = 0; s < states + 2; ++s) {  // 0 and states + 1 are the ends
    bool is_end = s == 0 || s == states + 1;
    world->cells.push_back(is_end ? "G" : s == (states + 1) / 2 ? "S" : ".");
    world->start.push_back(s == (states + 1) / 2);
    std::vector<std::vector<Outcome>> actions;
    if (!is_end) {
      actions.push_back({{1, s - 1, s == 1 ? left : 0.0, s == 1}});
      actions.push_back({{1, s + 1, s == states ? 1.0 : 0.0, s == states}});
    }
    world->mdp.add_state(std::move(actions));
  }
  return world;
}

}  // namespace

Entry<Environment> random_walk_environment() {
  return {{"random-walk",
           "a chain with an end on either side; for learning the values of the random policy",
           "Sutton and Barto 2018, examples 6.2 and 7.1",
           {{"states", ParamType::integer, "5", "an odd number of inner states", 3, 999},
            {"left", ParamType::real, "0", "reward of the left end", -1e6, 1e6}}},
          make};
}

}  // namespace llmkit::rl
