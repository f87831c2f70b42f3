// The family of worlds that `rl-demo` knows (environments.def): a transition table with what a person needs to see it.
#pragma once

#include <string>
#include <vector>

#include "base/registry.h"
#include "rl/mdp.h"

namespace llmkit::rl {

struct Environment {
  std::string title;  // "FrozenLake 4x4, slippery"
  Mdp mdp;
  std::vector<double> start;         // probability of each state to be the first
  double gamma = 1;                  // the usual discount of this world
  int64_t max_steps = 10'000;        // an episode is cut (not ended: values go on) after so many steps
  std::vector<std::string> actions;  // one glyph each: "←", "↓" … ; may be shorter than the number of actions
  int columns = 0;                   // states are the cells of a grid so wide, row by row; 0 = no grid
  std::vector<std::string> cells;    // a glyph for each state: "S", "H", "G", "·"

  int32_t draw_start(Rng& rng) const;
};

const Registry<Environment>& environments();

}  // namespace llmkit::rl
