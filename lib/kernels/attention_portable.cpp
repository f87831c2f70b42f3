#include "kernels/attention_impl.h"

namespace llmkit::kernels {

const AttentionKernels<float>& attention_portable_float() {
  static constexpr auto table = AttentionImpl<Portable<float>, 4, 2>::table();
  return table;
}
const AttentionKernels<double>& attention_portable_double() {
  static constexpr auto table = AttentionImpl<Portable<double>, 4, 2>::table();
  return table;
}

}  // namespace llmkit::kernels
