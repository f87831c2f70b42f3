#if defined(__x86_64__)

#include "kernels/gemm_impl.h"
#include "kernels/widened_format.h"

namespace llmkit::kernels {

// 8 × 48: 24 sums, 3 vectors of B and one broadcast fill 28 of 32 registers.
const GemmKernels<float>& gemm_avx512_float() {
  static constexpr auto table = GemmImpl<PlainFormat<Avx512>, 8, 3, 16, 4>::table();
  return table;
}
const GemmKernels<float>& gemm_avx512_widened() {
  static constexpr auto table = GemmImpl<WidenedFormat, 8, 3, 16, 4>::table();
  return table;
}

}  // namespace llmkit::kernels

#endif
