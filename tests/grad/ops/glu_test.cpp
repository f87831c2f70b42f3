#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_glu() {
  return {{"swiglu",
           {{3, 10}},
           [](Tape& t, std::span<const Tensor> x) { return ops::glu(t, x[0], ops::Activation::silu); }},
          {"geglu", {{1, 6}}, [](Tape& t, std::span<const Tensor> x) {
             return ops::glu(t, x[0], ops::Activation::gelu_tanh);
           }}};
}

}  // namespace llmkit::test
