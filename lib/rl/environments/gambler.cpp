// The gambler's problem of Sutton and Barto, example 4.3: stake part of a capital of 1 to 99 on a coin that shows heads
// with probability p; reaching 100 pays 1.
#include <algorithm>

#include "rl/environment.h"

namespace llmkit::rl {
namespace {

constexpr int32_t kGoal = 100;

std::unique_ptr<Environment> make(const Values& values) {
  double heads = values.real("heads");
  auto world = std::make_unique<Environment>();
  world->title = "Gambler's problem";
  world->columns = 0;
  for (int32_t s = 0; s <= kGoal; ++s) {
    world->cells.push_back(std::to_string(s));
    world->start.push_back(s == kGoal / 2);
    std::vector<std::vector<Outcome>> actions;  // action a stakes a + 1
    for (int32_t stake = 1; s > 0 && stake <= std::min(s, kGoal - s); ++stake) {
      bool wins = s + stake == kGoal;
      actions.push_back({{heads, s + stake, wins ? 1.0 : 0.0, wins}, {1 - heads, s - stake, 0, s == stake}});
    }
    world->mdp.add_state(std::move(actions));
  }
  return world;
}

}  // namespace

Entry<Environment> gambler_environment() {
  return {{"gambler",
           "stakes on a coin until 0 or 100",
           "Sutton and Barto 2018, example 4.3",
           {{"heads", ParamType::real, "0.4", "probability of winning a stake", 0.001, 0.999}}},
          make};
}

}  // namespace llmkit::rl
