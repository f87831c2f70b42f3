#include "kernels/gemm_int8_impl.h"

namespace llmkit::kernels {

const Int8Kernels& int8_portable() {
  static constexpr auto table = Int8Impl<WideInt8Format, 4, 2, 16, 12>::table();
  return table;
}

}  // namespace llmkit::kernels
