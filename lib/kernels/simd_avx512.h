// Sixteen floats: AVX-512 F, BW, DQ, VL.
#pragma once

#include <immintrin.h>

#include "kernels/simd_math.h"

namespace llmkit::kernels {

struct Avx512 {
  using T = float;
  using R = __m512;
  using Mask = __mmask16;
  static constexpr int64_t kWidth = 16;

  static LLMKIT_INLINE Mask first(int64_t n) { return static_cast<Mask>((1u << n) - 1); }
  static LLMKIT_INLINE R zero() { return _mm512_setzero_ps(); }
  static LLMKIT_INLINE R set1(float x) { return _mm512_set1_ps(x); }
  static LLMKIT_INLINE R load(const float* p) { return _mm512_loadu_ps(p); }
  static LLMKIT_INLINE R load_n(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static LLMKIT_INLINE void store(float* p, R x) { _mm512_storeu_ps(p, x); }
  static LLMKIT_INLINE void store_n(float* p, R x, int64_t n) { _mm512_mask_storeu_ps(p, first(n), x); }
  static LLMKIT_INLINE void store_halves(float* low, float* high, R x) {
    _mm256_storeu_ps(low, _mm512_castps512_ps256(x));
    _mm256_storeu_ps(high, _mm512_extractf32x8_ps(x, 1));
  }
  static LLMKIT_INLINE R add(R a, R b) { return _mm512_add_ps(a, b); }
  static LLMKIT_INLINE R sub(R a, R b) { return _mm512_sub_ps(a, b); }
  static LLMKIT_INLINE R mul(R a, R b) { return _mm512_mul_ps(a, b); }
  static LLMKIT_INLINE R div(R a, R b) { return _mm512_div_ps(a, b); }
  static LLMKIT_INLINE R fma(R a, R b, R c) { return _mm512_fmadd_ps(a, b, c); }
  static LLMKIT_INLINE R max(R a, R b) { return _mm512_max_ps(a, b); }
  static LLMKIT_INLINE R min(R a, R b) { return _mm512_min_ps(a, b); }
  static LLMKIT_INLINE R sqrt(R a) { return _mm512_sqrt_ps(a); }
  static LLMKIT_INLINE R round(R a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static LLMKIT_INLINE R scale_pow2(R a, R n) { return _mm512_scalef_ps(a, n); }
  static LLMKIT_INLINE Mask less(R a, R b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static LLMKIT_INLINE R select(Mask m, R a, R b) { return _mm512_mask_blend_ps(m, b, a); }
  static LLMKIT_INLINE R zero_where(Mask m, R a) { return _mm512_maskz_mov_ps(static_cast<Mask>(~m), a); }
  static LLMKIT_INLINE R exp(R a) { return exp_float<Avx512>(a); }
  static LLMKIT_INLINE R erf(R a) { return erf_float<Avx512>(a); }
  static LLMKIT_INLINE void transpose(R (&r)[16]) {
    __m512 t[16];
    for (int i = 0; i < 16; i += 2) {  // pairs of rows interleaved
      t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {  // fours
      r[i] = low_pairs(t[i], t[i + 2]);
      r[i + 1] = high_pairs(t[i], t[i + 2]);
      r[i + 2] = low_pairs(t[i + 1], t[i + 3]);
      r[i + 3] = high_pairs(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; ++i) {  // 4×4 blocks
      t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
      t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xDD);
      t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
      t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xDD);
    }
    for (int i = 0; i < 4; ++i) {
      r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
      r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
      r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xDD);
      r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xDD);
    }
  }
  static LLMKIT_INLINE R low_pairs(R a, R b) {
    return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
  }
  static LLMKIT_INLINE R high_pairs(R a, R b) {
    return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
  }
  static LLMKIT_INLINE float reduce_add(R a) { return _mm512_reduce_add_ps(a); }
  static LLMKIT_INLINE float reduce_max(R a) { return _mm512_reduce_max_ps(a); }
};

}  // namespace llmkit::kernels
