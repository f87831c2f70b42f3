#include "kernels/cpu.h"
#include "kernels/vector_table.h"

namespace llmkit::kernels {

template <>
const VectorKernels<double>& vector_kernels<double>() {
  return vector_kernels_portable_double();
}

template <>
const VectorKernels<float>& vector_kernels<float>() {
#if defined(__x86_64__)
  if (active_isa() >= Isa::avx512) return vector_kernels_avx512();
  if (active_isa() >= Isa::avx2) return vector_kernels_avx2();
#endif
  return vector_kernels_portable_float();
}

}  // namespace llmkit::kernels
