#include "kernels/dropout.h"

#include "kernels/dropout_impl.h"
#include "kernels/vector_table.h"

namespace llmkit::kernels {

template <class T>
void dropout(const Exec& ex, T* y, const T* x, int64_t sequences, int64_t n_per_sequence, const uint64_t* keys,
             double rate, bool accumulate) {
  constexpr int64_t kGrain = 16 * 1024;  // a multiple of the 64 elements of a mask group
  const auto& k = vector_kernels<T>();
  const uint32_t threshold = dropout_threshold(rate);
  const T keep = static_cast<T>(1 / (1 - rate));
  const int64_t tiles = (n_per_sequence + kGrain - 1) / kGrain;
  ex.parallel.for_tiles(sequences * tiles, [&](int64_t tile) {
    const int64_t s = tile / tiles, begin = tile % tiles * kGrain;
    const int64_t count = n_per_sequence - begin < kGrain ? n_per_sequence - begin : kGrain;
    const int64_t at = s * n_per_sequence + begin;
    k.dropout(y + at, x + at, count, keys[s], static_cast<uint64_t>(begin / 64), threshold, keep, accumulate);
  });
}

bool dropout_keeps(uint64_t key, uint64_t index, double rate, uint64_t row) {
  uint32_t words[64];
  DropoutKernels<Portable<float>>::words(key, row, index / 64, words);
  return words[index % 64] >= dropout_threshold(rate);
}

template void dropout(const Exec&, float*, const float*, int64_t, int64_t, const uint64_t*, double, bool);
template void dropout(const Exec&, double*, const double*, int64_t, int64_t, const uint64_t*, double, bool);

}  // namespace llmkit::kernels
