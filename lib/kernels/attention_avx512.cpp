#if defined(__x86_64__)

#include "kernels/attention_impl.h"
#include "kernels/simd_avx512.h"

namespace llmkit::kernels {

const AttentionKernels<float>& attention_avx512() {
  static constexpr auto table = AttentionImpl<Avx512, 6, 4>::table();
  return table;
}

}  // namespace llmkit::kernels

#endif
