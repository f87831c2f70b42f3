#if defined(__x86_64__)

#include "kernels/gemm_int8_impl.h"
#include "kernels/simd_avx512.h"

namespace llmkit::kernels {
namespace {

// Fours of 8 bits (vpdpbusd): A unsigned, B signed.
struct VnniFormat {
  using V = Avx512;
  using R = __m512;
  using Element = uint32_t;
  using StoredA = uint8_t;
  using StoredB = int8_t;
  static constexpr int64_t kDepth = 4;
  static constexpr int32_t kOffset = 128;
  static LLMKIT_INLINE R broadcast(const Element* a) {
    return _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(*a)));
  }
  static LLMKIT_INLINE R load_b(const Element* b) { return _mm512_castsi512_ps(_mm512_loadu_si512(b)); }
  static LLMKIT_INLINE R multiply_add(R a, R b, R c) {
    return _mm512_castsi512_ps(
        _mm512_dpbusd_epi32(_mm512_castps_si512(c), _mm512_castps_si512(a), _mm512_castps_si512(b)));
  }
};

}  // namespace

const Int8Kernels& int8_avx512vnni() {
  static constexpr auto table = Int8Impl<VnniFormat, 8, 3, 16, 4>::table();
  return table;
}

}  // namespace llmkit::kernels

#endif
