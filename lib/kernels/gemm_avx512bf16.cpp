#if defined(__x86_64__)

#include "kernels/gemm_impl.h"
#include "kernels/pair_format.h"

namespace llmkit::kernels {

const GemmKernels<float>& gemm_avx512bf16() {
  static constexpr auto table = GemmImpl<PairFormat, 8, 3, 16, 4>::table();
  return table;
}

}  // namespace llmkit::kernels

#endif
