// bfloat16: the upper half of a float. Rounding is to nearest even; NaN stays NaN.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/exec.h"

namespace llmkit::kernels {

struct Bf16 {
  uint16_t bits;
};

inline float to_float(Bf16 x) {
  return std::bit_cast<float>(uint32_t{x.bits} << 16);
}
inline Bf16 to_bf16(float x) {
  uint32_t u = std::bit_cast<uint32_t>(x);
  if ((u & 0x7FFFFFFF) > 0x7F800000) return {static_cast<uint16_t>(u >> 16 | 0x40)};
  return {static_cast<uint16_t>((u + 0x7FFF + (u >> 16 & 1)) >> 16)};
}

void convert(const Exec& ex, Bf16* y, const float* x, int64_t n);
void convert(const Exec& ex, float* y, const Bf16* x, int64_t n);

// IEEE half precision (storage only).
float half_to_float(uint16_t half);
uint16_t float_to_half(float x);

}  // namespace llmkit::kernels
