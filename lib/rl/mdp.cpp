#include "rl/mdp.h"

#include <cmath>
#include <string>

#include "base/error.h"

namespace llmkit::rl {

void Mdp::add_state(std::vector<std::vector<Outcome>> actions) {
  for (auto& outcomes : actions) {
    outcomes_.insert(outcomes_.end(), outcomes.begin(), outcomes.end());
    first_outcome_.push_back(outcomes_.size());
  }
  first_action_.push_back(first_action_.back() + actions.size());
}

const Outcome& Mdp::sample(int32_t state, int32_t action, Rng& rng) const {
  auto all = outcomes(state, action);
  if (all.size() == 1) return all[0];  // no number is drawn where there is nothing to decide
  double left = rng.uniform();
  for (auto& outcome : all) {
    left -= outcome.probability;
    if (left < 0) return outcome;
  }
  return all.back();
}

void Mdp::check() const {
  for (int32_t s = 0; s < states(); ++s) {
    for (int32_t a = 0; a < actions(s); ++a) {
      double sum = 0;
      for (auto& o : outcomes(s, a)) {
        sum += o.probability;
        if (o.next < 0 || o.next >= states() || o.probability < 0)
          throw Error({"bad transition",
                       "state " + std::to_string(s) + ", action " + std::to_string(a),
                       {},
                       std::to_string(o.next),
                       {}});
      }
      if (std::abs(sum - 1) > 1e-9)
        throw Error({"probabilities do not add up",
                     "state " + std::to_string(s) + ", action " + std::to_string(a),
                     "1",
                     std::to_string(sum),
                     {}});
    }
  }
}

}  // namespace llmkit::rl
