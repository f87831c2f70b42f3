#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_weighted_sum() {
  static const std::vector<double> weights = {1.0, -2.0, 0.5, 3.0, 0.0, 7.0};
  return {{"six numbers", {{2, 3}}, [](Tape& t, std::span<const Tensor> x) {
             return ops::weighted_sum(t, x[0], weights);
           }}};
}

}  // namespace llmkit::test
