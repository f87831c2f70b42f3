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
    throw Error(ErrorParts{"attention head size not supported",
                           {},
                           "1 to " + std::to_string(kMaxHeadDim),
                           std::to_string(shape.head_dim),
                           {}});
  }
  if (shape.kv_heads < 1 || shape.heads % shape.kv_heads != 0) {
    throw Error(ErrorParts{"query heads must be a multiple of key/value heads",
                           {},
                           {},
                           std::to_string(shape.heads) + " and " + std::to_string(shape.kv_heads),
                           {}});
  }
}

}  // namespace

template <class T>
void attention_forward(const Exec& ex, const AttentionShape<T>& shape,
                       std::span<const AttentionSequence<T>> sequences) {
  check(shape);
  const auto& kernels = attention_kernels<T>();
  // Neighbouring query tiles of a head go together where there are many: their keys are cached then.
  Scratch scratch(ex.workspace);
  const auto count = static_cast<int64_t>(sequences.size());
  auto query_tiles = [&](int64_t i) {
    return (sequences[static_cast<size_t>(i)].query_length + kQueryTile - 1) / kQueryTile;
  };
  int64_t all = 0;
  for (int64_t i = 0; i < count; ++i) all += query_tiles(i) * shape.heads;
  const int64_t together = std::clamp<int64_t>(all / 64, 1, 4);
  // Group number → (sequence, head, query tiles) by a running count.
  int64_t* first = scratch.take<int64_t>(count + 1);
  first[0] = 0;
  for (int64_t i = 0; i < count; ++i)
    first[i + 1] = first[i] + (query_tiles(i) + together - 1) / together * shape.heads;
  ex.parallel.for_tiles(first[count], [&](int64_t group) {
    const int64_t i = std::upper_bound(first, first + count + 1, group) - first - 1;
    const auto& sequence = sequences[static_cast<size_t>(i)];
    const int64_t groups = (first[i + 1] - first[i]) / shape.heads;
    const int64_t own = group - first[i], begin = own % groups * together;
    for (int64_t tile = begin; tile < std::min(begin + together, query_tiles(i)); ++tile)
      kernels.forward_tile(shape, sequence, own / groups, tile * kQueryTile);
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

#define LLMKIT_INSTANTIATE(T)                                                                                    \
  template void attention_forward(const Exec&, const AttentionShape<T>&, std::span<const AttentionSequence<T>>); \
  template void attention_backward(const Exec&, const AttentionShape<T>&, std::span<const AttentionSequence<T>>, \
                                   std::span<const AttentionGradient<T>>);
LLMKIT_INSTANTIATE(float)
LLMKIT_INSTANTIATE(double)
#undef LLMKIT_INSTANTIATE

}  // namespace llmkit::kernels
