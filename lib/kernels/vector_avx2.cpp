#if defined(__x86_64__)

#include "kernels/simd_avx2.h"
#include "kernels/vector_table_impl.h"

namespace llmkit::kernels {

const VectorKernels<float>& vector_kernels_avx2() {
  static constexpr VectorKernels<float> table = make_vector_kernels<Avx2>();
  return table;
}

}  // namespace llmkit::kernels

#endif
