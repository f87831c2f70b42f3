#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_add() {
  return {{"a + b", {{3, 5}, {3, 5}}, [](Tape& t, std::span<const Tensor> x) { return ops::add(t, x[0], x[1]); }},
          {"x + x", {{3, 5}}, [](Tape& t, std::span<const Tensor> x) { return ops::add(t, x[0], x[0]); }},
          {"(x + y) + x", {{3, 5}, {3, 5}}, [](Tape& t, std::span<const Tensor> x) {
             return ops::add(t, ops::add(t, x[0], x[1]), x[0]);
           }}};
}

}  // namespace llmkit::test
