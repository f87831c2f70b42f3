// Attention tiles of one instruction set.
#pragma once

#include "kernels/attention.h"

namespace llmkit::kernels {

inline constexpr int64_t kMaxHeadDim = 256;

template <class T>
struct AttentionKernels {
  // One head, queries [begin, begin + kQueryTile).
  void (*forward_tile)(const AttentionShape<T>&, const AttentionSequence<T>&, int64_t head, int64_t begin);
  // One key/value head with all its query heads, all queries and keys.
  void (*backward_head)(const AttentionShape<T>&, const AttentionSequence<T>&, const AttentionGradient<T>&,
                        int64_t kv_head);
};

template <class T>
const AttentionKernels<T>& attention_kernels();

const AttentionKernels<float>& attention_portable_float();
const AttentionKernels<double>& attention_portable_double();
const AttentionKernels<float>& attention_avx2();
const AttentionKernels<float>& attention_avx512();

}  // namespace llmkit::kernels
