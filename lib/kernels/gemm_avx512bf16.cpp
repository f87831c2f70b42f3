#if defined(__x86_64__)

#include "kernels/gemm_impl.h"
#include "kernels/simd_avx512.h"

namespace llmkit::kernels {
namespace {

// Pairs of neighbours in k as 2 × 16 bits: vdpbf16ps adds both products to a float.
struct PairFormat {
  using V = Avx512;
  using Element = uint32_t;
  static constexpr int64_t kDepth = 2;
  static constexpr bool kConverts = true;
  static LLMKIT_INLINE uint32_t pack(const float* x, int64_t stride, int64_t left) {
    uint32_t low = to_bf16(x[0]).bits, high = left > 1 ? to_bf16(x[stride]).bits : 0;
    return low | high << 16;
  }
  static LLMKIT_INLINE __m512 broadcast(const uint32_t* a) { return _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(*a))); }
  static LLMKIT_INLINE __m512 load_b(const uint32_t* b) { return _mm512_castsi512_ps(_mm512_loadu_si512(b)); }
  static LLMKIT_INLINE __m512 multiply_add(__m512 a, __m512 b, __m512 c) {
    return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b);
  }
};

}  // namespace

const GemmKernels<float>& gemm_avx512bf16() {
  static constexpr auto table = GemmImpl<PairFormat, 8, 3, 16, 4>::table();
  return table;
}

}  // namespace llmkit::kernels

#endif
