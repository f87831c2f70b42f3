#if defined(__x86_64__)

#include "kernels/attention_impl.h"
#include "kernels/simd_avx2.h"

namespace llmkit::kernels {

const AttentionKernels<float>& attention_avx2() {
  static constexpr auto table = AttentionImpl<Avx2, 6, 2>::table();
  return table;
}

}  // namespace llmkit::kernels

#endif
