// A finite Markov decision process with its exact transition table: states 0 … S-1, actions 0 … A(s)-1 in each, and for
// a state and action the outcomes (probability, next state, reward, whether the episode ends there).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"

namespace llmkit::rl {

struct Outcome {
  double probability;
  int32_t next;
  double reward;
  bool ends;  // the episode is over; `next` has value 0 from here
};

class Mdp {
 public:
  // Adds the next state; the outcomes of its actions follow in order. No actions: a terminal state.
  void add_state(std::vector<std::vector<Outcome>> actions);

  int32_t states() const { return static_cast<int32_t>(first_action_.size()) - 1; }
  int32_t actions(int32_t state) const {
    return static_cast<int32_t>(first_action_[at(state) + 1] - first_action_[at(state)]);
  }
  bool terminal(int32_t state) const { return actions(state) == 0; }
  std::span<const Outcome> outcomes(int32_t state, int32_t action) const {
    size_t row = index(state, action);
    return {outcomes_.data() + first_outcome_[row], first_outcome_[row + 1] - first_outcome_[row]};
  }
  const Outcome& sample(int32_t state, int32_t action, Rng& rng) const;

  // Position of (state, action) in an array of action values.
  size_t index(int32_t state, int32_t action) const { return first_action_[at(state)] + static_cast<size_t>(action); }
  size_t action_values() const { return first_action_.back(); }

  // Throws Error where probabilities do not add up to 1 within 1e-9 or a next state does not exist.
  void check() const;

 private:
  static size_t at(int32_t state) { return static_cast<size_t>(state); }
  std::vector<size_t> first_action_{0};   // of each state, among all actions
  std::vector<size_t> first_outcome_{0};  // of each action, in outcomes_
  std::vector<Outcome> outcomes_;
};

}  // namespace llmkit::rl
