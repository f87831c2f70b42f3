#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_linear() {
  std::vector<GradCase> cases;
  cases.push_back(
      {"plain", {{5, 3}, {4, 3}}, [](Tape& t, std::span<const Tensor> x) { return ops::linear(t, x[0], x[1]); }});
  cases.push_back(
      {"one row", {{1, 3}, {2, 3}}, [](Tape& t, std::span<const Tensor> x) { return ops::linear(t, x[0], x[1]); }});
  cases.push_back({"bias and residual", {{5, 3}, {4, 3}, {4}, {5, 4}}, [](Tape& t, std::span<const Tensor> x) {
                     return ops::linear(t, x[0], x[1], {x[2], x[3]});
                   }});
  cases.push_back({"everything", {{5, 3}, {4, 3}, {4}, {5, 4}}, [](Tape& t, std::span<const Tensor> x) {
                     return ops::linear(t, x[0], x[1], {x[2], x[3], ops::Activation::gelu_tanh});
                   }});
  cases.push_back({"its input as residual", {{5, 3}, {3, 3}}, [](Tape& t, std::span<const Tensor> x) {
                     return ops::linear(t, x[0], x[1], {{}, x[0], ops::Activation::silu});
                   }});
  cases.push_back({"the same weight twice", {{5, 3}, {3, 3}}, [](Tape& t, std::span<const Tensor> x) {
                     return ops::linear(t, ops::linear(t, x[0], x[1]), x[1]);
                   }});
  return cases;
}

}  // namespace llmkit::test
