#include "kernels/vector_table_impl.h"

namespace llmkit::kernels {

const VectorKernels<float>& vector_kernels_portable_float() {
  static constexpr VectorKernels<float> table = make_vector_kernels<Portable<float>>();
  return table;
}

const VectorKernels<double>& vector_kernels_portable_double() {
  static constexpr VectorKernels<double> table = make_vector_kernels<Portable<double>>();
  return table;
}

}  // namespace llmkit::kernels
