#include "kernels/bf16.h"

#include "kernels/vector_table.h"

namespace llmkit::kernels {
namespace {
constexpr int64_t kGrain = 64 * 1024;
}

void convert(const Exec& ex, Bf16* y, const float* x, int64_t n) {
  const auto& k = vector_kernels<float>();
  ex.parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) { k.to_bf16(y + i, x + i, end - i); });
}

void convert(const Exec& ex, float* y, const Bf16* x, int64_t n) {
  const auto& k = vector_kernels<float>();
  ex.parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) { k.from_bf16(y + i, x + i, end - i); });
}

float half_to_float(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  uint32_t exponent = half >> 10 & 31, mantissa = half & 0x3FF;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000 | mantissa << 13);
  if (exponent == 0) {  // zero and subnormals: mantissa · 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t float_to_half(float x) {
  const uint32_t u = std::bit_cast<uint32_t>(x);
  const auto sign = static_cast<uint16_t>(u >> 16 & 0x8000);
  const uint32_t magnitude = u & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return static_cast<uint16_t>(sign | 0x7E00);   // NaN
  if (magnitude >= 0x477FF000) return static_cast<uint16_t>(sign | 0x7C00);  // rounds to infinity
  if (magnitude < 0x38800000) {  // subnormal: adding 0.5 rounds to a multiple of 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3F000000));
  }
  const uint32_t rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | (rounded - 0x38000000) >> 13);
}

}  // namespace llmkit::kernels
