#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_token_logprobs() {
  static const std::vector<int32_t> targets = {3, -1, 0, 5, 3};
  return {{"with a row left out", {{5, 4}, {6, 4}}, [](Tape& t, std::span<const Tensor> x) {
             return ops::token_logprobs(t, x[0], x[1], targets);
           }}};
}

}  // namespace llmkit::test
