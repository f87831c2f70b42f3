// bf16 products on AVX-512 by fp32 multiply-adds: for processors that have no vdpbf16ps, or a slow one. A is rounded to
// bf16 and kept as floats; panels of B are stored as pairs of bf16, two neighbours in k, and widened when they are
// used: a bf16 is the upper half of a float, so that a shift or a mask makes one.
#pragma once

#include "kernels/gemm_impl.h"
#include "kernels/simd_avx512.h"

namespace llmkit::kernels {

// The bits of x rounded to nearest even in the upper half, below them what was cut: to_bf16 on sixteen lanes.
LLMKIT_INLINE __m512i round_to_upper_half(__m512 x) {
  const __m512i bits = _mm512_castps_si512(x), half = _mm512_set1_epi32(0x7FFF);
  const __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_mask_blend_epi32(odd, half, _mm512_set1_epi32(0x8000)));
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  return _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
}

struct StoredPairs {
  using V = Avx512;
  using R = __m512;
  using Element = uint32_t;
  static constexpr int64_t kDepth = 2;

  static LLMKIT_INLINE R load_some(const float* p, int64_t n) {
    return n >= 16 ? V::load(p) : n > 0 ? V::load_n(p, n) : V::zero();
  }
  static LLMKIT_INLINE R pairs(R first, R second) {
    const __m512i low = _mm512_srli_epi32(round_to_upper_half(first), 16);
    return _mm512_castsi512_ps(_mm512_mask_blend_epi16(0xAAAAAAAA, low, round_to_upper_half(second)));
  }
  static LLMKIT_INLINE R along_depth(const float* row, int64_t left) {
    alignas(64) static constexpr int32_t kEven[16] = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
    const R low = load_some(row, left), high = load_some(row + 16, left - 16);
    const __m512i even = _mm512_load_si512(kEven), odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    return pairs(_mm512_permutex2var_ps(low, even, high), _mm512_permutex2var_ps(low, odd, high));
  }
  static LLMKIT_INLINE R across(const float* at, int64_t stride, int64_t left, int64_t columns) {
    return pairs(load_some(at, columns), left > 1 ? load_some(at + stride, columns) : V::zero());
  }
  static LLMKIT_INLINE R load_b(const uint32_t* b) { return _mm512_castsi512_ps(_mm512_loadu_si512(b)); }
  static LLMKIT_INLINE R first(R pairs) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(pairs), 16));
  }
  static LLMKIT_INLINE R second(R pairs) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(pairs), _mm512_set1_epi32(-65536)));
  }
};

struct WidenedFormat : PlainFormat<Avx512> {
  using Stored = StoredPairs;
  static constexpr bool kConverts = true;
  static LLMKIT_INLINE R along_depth(const float* row, int64_t left) { return rounded(row, left); }
  static LLMKIT_INLINE R across(const float* at, int64_t, int64_t left, int64_t columns) {
    return left > 0 ? rounded(at, columns) : V::zero();  // depth is filled up to pairs
  }
  static LLMKIT_INLINE R rounded(const float* p, int64_t n) {
    return StoredPairs::second(_mm512_castsi512_ps(round_to_upper_half(StoredPairs::load_some(p, n))));
  }
};

}  // namespace llmkit::kernels
