#if defined(__x86_64__)

#include "kernels/gemm_int8_impl.h"
#include "kernels/simd_avx2.h"

namespace llmkit::kernels {
namespace {

// Pairs of 16 bits (vpmaddwd): vpmaddubsw would saturate.
struct MaddFormat {
  using V = Avx2;
  using R = __m256;
  using Element = uint32_t;
  using StoredA = int16_t;
  using StoredB = int16_t;
  static constexpr int64_t kDepth = 2;
  static constexpr int32_t kOffset = 0;
  static LLMKIT_INLINE R broadcast(const Element* a) {
    return _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(*a)));
  }
  static LLMKIT_INLINE R load_b(const Element* b) {
    return _mm256_castsi256_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(b)));
  }
  static LLMKIT_INLINE R multiply_add(R a, R b, R c) {
    return _mm256_castsi256_ps(
        _mm256_add_epi32(_mm256_castps_si256(c), _mm256_madd_epi16(_mm256_castps_si256(a), _mm256_castps_si256(b))));
  }
};

}  // namespace

const Int8Kernels& int8_avx2() {
  static constexpr auto table = Int8Impl<MaddFormat, 5, 2, 16, 8>::table();
  return table;
}

}  // namespace llmkit::kernels

#endif
