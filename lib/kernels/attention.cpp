#include "kernels/attention.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "kernels/attention_table.h"
#include "kernels/cpu.h"

namespace llmkit::kernels {

template <>
const AttentionKernels<double>& attention_kernels<double>() {
  return attention_portable_double();
}

template <>
const AttentionKernels<float>& attention_kernels<float>() {
#if defined(__x86_64__)
  if (active_isa() >= Isa::avx512) return attention_avx512();
  if (active_isa() >= Isa::avx2) return attention_avx2();
#endif
  return attention_portable_float();
}

namespace {

template <class T>
void check(const AttentionShape<T>& shape) {
  if (shape.head_dim < 1 || shape.head_dim > kMaxHeadDim) {
    throw Error(ErrorParts{"attention head size not supported", {}, "1 to " + std::to_string(kMaxHeadDim), std::to_string(shape.head_dim), {}});
  }
  if (shape.kv_heads < 1 || shape.heads % shape.kv_heads != 0) {
    throw Error(ErrorParts{"query heads must be a multiple of key/value heads", {}, {},
                           std::to_string(shape.heads) + " and " + std::to_string(shape.kv_heads), {}});
  }
}

}  // namespace

template <class T>
void attention_forward(const Exec& ex, const AttentionShape<T>& shape, std::span<const AttentionSequence<T>> sequences) {
  check(shape);
  const auto& kernels = attention_kernels<T>();
  // Tile number → (sequence, head, query tile) by a running count.
  Scratch scratch(ex.workspace);
  const auto count = static_cast<int64_t>(sequences.size());
  int64_t* first = scratch.take<int64_t>(count + 1);
  first[0] = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t tiles = (sequences[static_cast<size_t>(i)].query_length + kQueryTile - 1) / kQueryTile;
    first[i + 1] = first[i] + tiles * shape.heads;
  }
  ex.parallel.for_tiles(first[count], [&](int64_t tile) {
    const int64_t i = std::upper_bound(first, first + count + 1, tile) - first - 1;
    const auto& sequence = sequences[static_cast<size_t>(i)];
    const int64_t tiles = (first[i + 1] - first[i]) / shape.heads;
    const int64_t own = tile - first[i];
    kernels.forward_tile(shape, sequence, own / tiles, own % tiles * kQueryTile);
  });
}

template <class T>
void attention_backward(const Exec& ex, const AttentionShape<T>& shape, std::span<const AttentionSequence<T>> sequences,
                        std::span<const AttentionGradient<T>> gradients) {
  check(shape);
  const auto& kernels = attention_kernels<T>();
  ex.parallel.for_tiles(static_cast<int64_t>(sequences.size()) * shape.kv_heads, [&](int64_t tile) {
    const auto i = static_cast<size_t>(tile / shape.kv_heads);
    kernels.backward_head(shape, sequences[i], gradients[i], tile % shape.kv_heads);
  });
}

#define LLMKIT_INSTANTIATE(T)                                                                                       \
  template void attention_forward(const Exec&, const AttentionShape<T>&, std::span<const AttentionSequence<T>>);    \
  template void attention_backward(const Exec&, const AttentionShape<T>&, std::span<const AttentionSequence<T>>,    \
                                   std::span<const AttentionGradient<T>>);
LLMKIT_INSTANTIATE(float)
LLMKIT_INSTANTIATE(double)
#undef LLMKIT_INSTANTIATE

}  // namespace llmkit::kernels
