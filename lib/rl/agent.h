// The family of methods that `rl-demo` knows (agents.def): planners that read the transition table, and learners that
// only see what happens to them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/registry.h"
#include "base/rng.h"
#include "rl/environment.h"

namespace llmkit::rl {

struct Problem {
  const Environment& world;
  double gamma;
  int64_t episodes;                  // planners: at most so many sweeps
  int64_t max_steps;                 // of an episode
  const std::vector<double>& truth;  // exact values of the uniform policy: what predictors are measured against
};

struct Learned {
  std::vector<double> curve;   // planning: value of the start after each sweep; control: undiscounted return of each
                               // episode; prediction: RMS error over the states after each episode
  std::vector<double> values;  // a value for each state
  std::vector<double> action_values;  // control only, in Mdp::index order
  int64_t steps = 0;                  // interactions with the world
};

class Agent {
 public:
  enum class Kind { planning, control, prediction };
  virtual ~Agent() = default;
  virtual Kind kind() const = 0;
  // One run from scratch; all chance comes from `rng`.
  virtual Learned run(const Problem& problem, Rng& rng) const = 0;
};

const Registry<Agent>& agents();

}  // namespace llmkit::rl
