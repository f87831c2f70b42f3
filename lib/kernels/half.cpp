#include "kernels/half.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace llmkit::kernels {

namespace {

constexpr uint32_t kInfinity = 0x7F800000, kSmallestNormal = 0x38800000;  // 2^-14
constexpr uint32_t kOverflow = 0x477FF000;                                // 65520: the first that rounds to 2^16

float round_one(float x) {
  uint32_t u = std::bit_cast<uint32_t>(x), sign = u & 0x80000000, magnitude = u & 0x7FFFFFFF;
  // The spacing of floats in [0.5, 1) is 2^-24: the sum rounds to it.
  float small = (std::bit_cast<float>(magnitude) + 0.5f) - 0.5f;
  uint32_t normal = (magnitude + 0xFFF + (magnitude >> 13 & 1)) & ~uint32_t{0x1FFF};
  uint32_t out = magnitude < kSmallestNormal ? std::bit_cast<uint32_t>(small)
                 : magnitude >= kOverflow    ? kInfinity
                                             : normal;
  if (magnitude > kInfinity) out = magnitude;  // NaN
  return std::bit_cast<float>(out | sign);
}

}  // namespace

void round_to_half(float* y, const float* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = round_one(x[i]);
}

Matrix<const float> half_copy(const Exec& ex, Scratch& scratch, Matrix<const float> x) {
  constexpr int64_t kTile = 1 << 14;
  float* y = scratch.take<float>(x.rows * x.cols);
  ex.parallel.for_ranges(x.rows, std::max<int64_t>(1, kTile / std::max<int64_t>(1, x.cols)),
                         [&](int64_t begin, int64_t end) {
                           for (int64_t i = begin; i < end; ++i) round_to_half(y + i * x.cols, x.row(i), x.cols);
                         });
  return {y, x.rows, x.cols};
}

}  // namespace llmkit::kernels
