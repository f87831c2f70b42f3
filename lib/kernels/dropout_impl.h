// Dropout masks. Philox counters are used sixteen at a time: element i of a row has counter (i/64)·16 + i%16 and is
// its word (i/16)%4, so that sixteen neighbours come from sixteen independent counters and the rounds vectorise.
#pragma once

#include "kernels/simd.h"

namespace llmkit::kernels {

// An element is kept when its random word is at least this.
inline uint32_t dropout_threshold(double rate) {
  double words = rate * 4294967296.0;
  return words >= 4294967295.0 ? UINT32_MAX : static_cast<uint32_t>(words);
}

template <class V>
struct DropoutKernels {
  using T = typename V::T;

  // The 64 random words of elements [64·group, 64·group + 64) of row `row` in stream `key`.
  static LLMKIT_INLINE void words(uint64_t key, uint64_t row, uint64_t group, uint32_t* out) {
    uint32_t c0[16], c1[16], c2[16], c3[16];
    const uint64_t first = group * 16;
    for (uint32_t i = 0; i < 16; ++i) {
      c0[i] = static_cast<uint32_t>(first) + i;
      c1[i] = static_cast<uint32_t>(first >> 32);
      c2[i] = static_cast<uint32_t>(row);
      c3[i] = static_cast<uint32_t>(row >> 32);
    }
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 16; ++i) {
        uint64_t a = uint64_t{0xD2511F53} * c0[i], b = uint64_t{0xCD9E8D57} * c2[i];
        c0[i] = static_cast<uint32_t>(b >> 32) ^ c1[i] ^ k0;
        c1[i] = static_cast<uint32_t>(b);
        c2[i] = static_cast<uint32_t>(a >> 32) ^ c3[i] ^ k1;
        c3[i] = static_cast<uint32_t>(a);
      }
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    std::memcpy(out, c0, sizeof c0);
    std::memcpy(out + 16, c1, sizeof c1);
    std::memcpy(out + 32, c2, sizeof c2);
    std::memcpy(out + 48, c3, sizeof c3);
  }

  // factor[j] = 0 or `keep` for elements [64·group, 64·group + 64).
  static LLMKIT_INLINE void factors(uint64_t key, uint64_t row, uint64_t group, uint32_t threshold, T keep, T* factor) {
    uint32_t word[64];
    words(key, row, group, word);
    for (int j = 0; j < 64; ++j) factor[j] = word[j] >= threshold ? keep : T(0);
  }

  // y (+)= dropped x for elements [64·first_group, …) of row 0, n of them.
  static void apply(T* y, const T* x, int64_t n, uint64_t key, uint64_t first_group, uint32_t threshold, T keep,
                    bool accumulate) {
    alignas(64) T factor[64];
    for (int64_t begin = 0; begin < n; begin += 64, ++first_group) {
      factors(key, 0, first_group, threshold, keep, factor);
      const int64_t count = n - begin < 64 ? n - begin : 64;
      for_vectors<V>(count, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
        auto value = V::mul(load<V>(x + begin + i, lanes), load<V>(factor + i, lanes));
        if (accumulate) value = V::add(value, load<V>(y + begin + i, lanes));
        store<V>(y + begin + i, value, lanes);
      });
    }
  }
};

}  // namespace llmkit::kernels
