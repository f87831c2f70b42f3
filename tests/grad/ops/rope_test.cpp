#include <cmath>

#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_rope() {
  static const std::vector<double> cos = [] {
    std::vector<double> v;
    for (int i = 0; i < 16; ++i) v.push_back(std::cos(0.3 * i));
    return v;
  }();
  static const std::vector<double> sin = [] {
    std::vector<double> v;
    for (int i = 0; i < 16; ++i) v.push_back(std::sin(0.3 * i));
    return v;
  }();
  static const std::vector<int32_t> positions = {0, 7, 3};
  ops::RopeTables tables{cos.data(), sin.data(), 8, 4};
  auto run = [tables](kernels::RopeLayout layout, bool in_place) {
    return [=](Tape& t, std::span<const Tensor> x) {
      Tensor in = in_place ? ops::add(t, x[0], x[0]) : x[0];
      return ops::rope(t, in, tables, positions, {layout, 2, 6, in_place});
    };
  };
  return {{"half", {{3, 15}}, run(kernels::RopeLayout::rotate_half, false)},
          {"interleaved, in place", {{3, 15}}, run(kernels::RopeLayout::interleaved, true)}};
}

}  // namespace llmkit::test
