// Pictures of worlds, policies and curves as text, for a terminal and for reports.
#pragma once

#include <string>
#include <vector>

#include "rl/experiment.h"

namespace llmkit::rl {

// The grid with an arrow for the greedy action of each cell (its glyph where the episode ends); without a grid, a table
// of states, actions and values.
std::string draw_policy(const Environment& world, const std::vector<int32_t>& actions);
// The values of the cells, right-aligned; "" for a world without a grid.
std::string draw_values(const Environment& world, const std::vector<double>& values);

// One episode under a deterministic policy, step by step, from a start drawn from `rng`. Ends after `max_steps` steps.
std::string draw_rollout(const Environment& world, const std::vector<int32_t>& actions, int64_t max_steps, Rng& rng);

struct Curve {
  std::string name;
  std::vector<double> values;
};
// Curves over a common axis, as a plot of `width` x `height` characters with a letter for each; `reference` is a
// dashed line. The most extreme 2 % of the points at either end are drawn at the edge.
std::string plot(const std::vector<Curve>& curves, double reference, const std::string& reference_name, int width,
                 int height);
// Eight levels of blocks, one character for each of `width` equal stretches.
std::string sparkline(const std::vector<double>& values, int width);

// The mean of each of at most `count` equal stretches.
std::vector<double> stretch_means(const std::vector<double>& values, int count);

}  // namespace llmkit::rl
