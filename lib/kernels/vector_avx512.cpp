#if defined(__x86_64__)

#include "kernels/simd_avx512.h"
#include "kernels/vector_table_impl.h"

namespace llmkit::kernels {

const VectorKernels<float>& vector_kernels_avx512() {
  static constexpr VectorKernels<float> table = make_vector_kernels<Avx512>();
  return table;
}

}  // namespace llmkit::kernels

#endif
