#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_dropout() {
  ops::DropoutSite site{0.4, 3, 2, 1, 4};
  return {{"alone", {{4, 6}}, [site](Tape& t, std::span<const Tensor> x) { return ops::dropout(t, x[0], site); }},
          {"with a residual",
           {{4, 6}, {4, 6}},
           [site](Tape& t, std::span<const Tensor> x) { return ops::dropout(t, x[0], site, x[1]); }},
          {"with itself", {{4, 6}}, [site](Tape& t, std::span<const Tensor> x) {
             return ops::dropout(t, x[0], site, x[0]);
           }}};
}

}  // namespace llmkit::test
