#include "kernels/gemm_impl.h"

namespace llmkit::kernels {

const GemmKernels<float>& gemm_portable_float() {
  static constexpr auto table = GemmImpl<PlainFormat<Portable<float>>, 4, 2, 16, 12>::table();
  return table;
}
const GemmKernels<float>& gemm_portable_bf16() {
  static constexpr auto table = GemmImpl<RoundedFormat<Portable<float>>, 4, 2, 16, 12>::table();
  return table;
}
const GemmKernels<double>& gemm_portable_double() {
  static constexpr auto table = GemmImpl<PlainFormat<Portable<double>>, 4, 2, 16, 12>::table();
  return table;
}

}  // namespace llmkit::kernels
