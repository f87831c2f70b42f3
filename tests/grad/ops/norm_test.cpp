#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_norm() {
  using ops::NormKind;
  return {{"rms",
           {{4, 7}, {7}},
           [](Tape& t, std::span<const Tensor> x) {
             return ops::norm(t, x[0], x[1], {}, {NormKind::rms, 1e-5});
           }},
          {"rms without gain",
           {{4, 7}},
           [](Tape& t, std::span<const Tensor> x) {
             return ops::norm(t, x[0], {}, {}, {NormKind::rms, 1e-2});
           }},
          {"layer",
           {{4, 7}, {7}, {7}},
           [](Tape& t, std::span<const Tensor> x) {
             return ops::norm(t, x[0], x[1], x[2], {NormKind::layer, 1e-5});
           }},
          {"layer beside a residual path", {{4, 7}, {7}, {7}}, [](Tape& t, std::span<const Tensor> x) {
             return ops::add(t, ops::norm(t, x[0], x[1], x[2], {NormKind::layer, 1e-5}), x[0]);
           }}};
}

}  // namespace llmkit::test
