#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_activation() {
  std::vector<GradCase> cases;
  using ops::Activation;
  for (Activation kind : {Activation::none, Activation::relu, Activation::gelu_tanh, Activation::gelu_erf,
                          Activation::silu, Activation::relu_squared, Activation::tanh, Activation::sigmoid})
    cases.push_back({"activation " + std::to_string(static_cast<int>(kind)),
                     {{3, 7}},
                     [kind](Tape& t, std::span<const Tensor> x) { return ops::activation(t, x[0], kind); },
                     0.01});
  return cases;
}

}  // namespace llmkit::test
