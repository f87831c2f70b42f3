// Eight floats: AVX2 and FMA.
#pragma once

#include <immintrin.h>

#include "kernels/simd_math.h"

namespace llmkit::kernels {

struct Avx2 {
  using T = float;
  using R = __m256;
  using Mask = __m256;
  static constexpr int64_t kWidth = 8;

  static LLMKIT_INLINE __m256i first(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static LLMKIT_INLINE R zero() { return _mm256_setzero_ps(); }
  static LLMKIT_INLINE R set1(float x) { return _mm256_set1_ps(x); }
  static LLMKIT_INLINE R load(const float* p) { return _mm256_loadu_ps(p); }
  static LLMKIT_INLINE R load_n(const float* p, int64_t n) { return _mm256_maskload_ps(p, first(n)); }
  static LLMKIT_INLINE void store(float* p, R x) { _mm256_storeu_ps(p, x); }
  static LLMKIT_INLINE void store_n(float* p, R x, int64_t n) { _mm256_maskstore_ps(p, first(n), x); }
  static LLMKIT_INLINE R add(R a, R b) { return _mm256_add_ps(a, b); }
  static LLMKIT_INLINE R sub(R a, R b) { return _mm256_sub_ps(a, b); }
  static LLMKIT_INLINE R mul(R a, R b) { return _mm256_mul_ps(a, b); }
  static LLMKIT_INLINE R div(R a, R b) { return _mm256_div_ps(a, b); }
  static LLMKIT_INLINE R fma(R a, R b, R c) { return _mm256_fmadd_ps(a, b, c); }
  static LLMKIT_INLINE R max(R a, R b) { return _mm256_max_ps(a, b); }
  static LLMKIT_INLINE R min(R a, R b) { return _mm256_min_ps(a, b); }
  static LLMKIT_INLINE R sqrt(R a) { return _mm256_sqrt_ps(a); }
  static LLMKIT_INLINE R round(R a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static LLMKIT_INLINE R scale_pow2(R a, R n) {  // n integral, in [-126, 127]
    __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(a, _mm256_castsi256_ps(exponent));
  }
  static LLMKIT_INLINE Mask less(R a, R b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static LLMKIT_INLINE R select(Mask m, R a, R b) { return _mm256_blendv_ps(b, a, m); }
  static LLMKIT_INLINE R zero_where(Mask m, R a) { return _mm256_andnot_ps(m, a); }
  static LLMKIT_INLINE R exp(R a) { return exp_float<Avx2>(a); }
  static LLMKIT_INLINE R erf(R a) { return erf_float<Avx2>(a); }
  static LLMKIT_INLINE void transpose(R (&r)[8]) {
    __m256 t[8];
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
      r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
      r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; ++i) {
      t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
      t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
    }
    for (int i = 0; i < 8; ++i) r[i] = t[i];
  }
  static LLMKIT_INLINE float reduce_add(R a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }
  static LLMKIT_INLINE float reduce_max(R a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
  }
};

}  // namespace llmkit::kernels
