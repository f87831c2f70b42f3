// bf16 products on AVX-512: an element is a pair of neighbours in k, 2 × 16 bits.
#pragma once

#include <algorithm>

#include "kernels/simd_avx512.h"

namespace llmkit::kernels {

struct PairFormat {
  using V = Avx512;
  using R = __m512;
  using Element = uint32_t;
  static constexpr int64_t kDepth = 2;
  static constexpr bool kConverts = true;

  static LLMKIT_INLINE R load_some(const float* p, int64_t n) {
    return n >= 16 ? V::load(p) : n > 0 ? V::load_n(p, n) : V::zero();
  }
  static LLMKIT_INLINE R along_depth(const float* row, int64_t left) {
    const R low = load_some(row, left), high = load_some(row + 16, left - 16);
    return _mm512_castsi512_ps((__m512i)_mm512_cvtne2ps_pbh(high, low));
  }
  static LLMKIT_INLINE R across(const float* at, int64_t stride, int64_t left, int64_t columns) {
    const R first = load_some(at, columns), second = left > 1 ? load_some(at + stride, columns) : V::zero();
    return interleave(_mm512_cvtne2ps_pbh(second, first));
  }
  // Sixteen firsts and sixteen seconds become sixteen pairs.
  static LLMKIT_INLINE R interleave(__m512bh halves) {
    alignas(64) static constexpr uint16_t kOrder[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(_mm512_load_si512(kOrder), (__m512i)halves));
  }
  static LLMKIT_INLINE R broadcast(const uint32_t* a) {
    return _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(*a)));
  }
  static LLMKIT_INLINE R load_b(const uint32_t* b) { return _mm512_castsi512_ps(_mm512_loadu_si512(b)); }
  // c + both products of each pair (vdpbf16ps).
  static LLMKIT_INLINE R multiply_add(R a, R b, R c) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
};

}  // namespace llmkit::kernels
