#if defined(__x86_64__)

#include "kernels/gemm_impl.h"
#include "kernels/simd_avx2.h"

namespace llmkit::kernels {

const GemmKernels<float>& gemm_avx2_float() {
  static constexpr auto table = GemmImpl<PlainFormat<Avx2>, 6, 2, 16, 8>::table();
  return table;
}
const GemmKernels<float>& gemm_avx2_bf16() {
  static constexpr auto table = GemmImpl<RoundedFormat<Avx2>, 6, 2, 16, 8>::table();
  return table;
}

}  // namespace llmkit::kernels

#endif
