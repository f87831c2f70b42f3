#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_embedding() {
  static const std::vector<int32_t> ids = {2, 0, 2, 4, 2};
  return {{"a repeated id", {{5, 3}}, [](Tape& t, std::span<const Tensor> x) { return ops::embedding(t, x[0], ids); }},
          {"added to a residual", {{5, 3}, {5, 3}}, [](Tape& t, std::span<const Tensor> x) {
             return ops::embedding(t, x[0], ids, x[1]);
           }}};
}

}  // namespace llmkit::test
