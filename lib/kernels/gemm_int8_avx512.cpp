#if defined(__x86_64__)

#include "kernels/gemm_int8_impl.h"
#include "kernels/simd_avx512.h"

namespace llmkit::kernels {
namespace {

// Pairs of 16 bits (vpmaddwd), for machines without VNNI.
struct MaddFormat512 {
  using V = Avx512;
  using R = __m512;
  using Element = uint32_t;
  using StoredA = int16_t;
  using StoredB = int16_t;
  static constexpr int64_t kDepth = 2;
  static constexpr int32_t kOffset = 0;
  static LLMKIT_INLINE R broadcast(const Element* a) {
    return _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(*a)));
  }
  static LLMKIT_INLINE R load_b(const Element* b) { return _mm512_castsi512_ps(_mm512_loadu_si512(b)); }
  static LLMKIT_INLINE R multiply_add(R a, R b, R c) {
    return _mm512_castsi512_ps(
        _mm512_add_epi32(_mm512_castps_si512(c), _mm512_madd_epi16(_mm512_castps_si512(a), _mm512_castps_si512(b))));
  }
};

}  // namespace

const Int8Kernels& int8_avx512() {
  static constexpr auto table = Int8Impl<MaddFormat512, 8, 3, 16, 4>::table();
  return table;
}

}  // namespace llmkit::kernels

#endif
