#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_token_loss() {
  static const std::vector<int32_t> targets = {3, -1, 0, 5, 3};
  static const std::vector<float> weights = {0.5f, 1.0f, 0.25f, 0.0f, -0.75f};
  return {{"weights of both signs",
           {{5, 4}, {6, 4}},
           [](Tape& t, std::span<const Tensor> x) { return ops::token_loss(t, x[0], x[1], targets, weights); }},
          {"with z-loss", {{5, 4}, {6, 4}}, [](Tape& t, std::span<const Tensor> x) {
             return ops::token_loss(t, x[0], x[1], targets, weights, 0.3);
           }}};
}

}  // namespace llmkit::test
