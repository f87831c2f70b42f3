// What the prediction methods share: they follow the uniform policy and learn its values, and are measured against the
// exact ones after every episode.
#pragma once

#include "rl/agent.h"

namespace llmkit::rl {

// Alpha and initial, then the method's own parameters.
std::vector<Param> prediction_params(std::string_view alpha, std::vector<Param> more = {});

// Values with the first guess in all but terminal states.
std::vector<double> initial_values(const Mdp& mdp, double initial);

// sqrt of the mean of (v - truth)^2 over the states that are not terminal.
double rms_error(const Mdp& mdp, const std::vector<double>& values, const std::vector<double>& truth);

// One step of the uniform policy.
inline const Outcome& uniform_step(const Mdp& mdp, int32_t s, Rng& rng) {
  auto count = static_cast<uint64_t>(mdp.actions(s));
  return mdp.sample(s, count == 1 ? 0 : static_cast<int32_t>(rng.below(count)), rng);
}

}  // namespace llmkit::rl
