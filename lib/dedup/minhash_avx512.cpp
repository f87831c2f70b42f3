// The inner loop with 16 lanes a register. Seven registers of minima and their coefficients stay in the register file
// while the shingles stream by; wider signatures take several passes over a block of shingles that fits the first cache.
#if defined(__AVX512F__)
#include <immintrin.h>

#include <algorithm>
#include <cstdint>

namespace llmkit::dedup {
namespace {

template <int N>
void pass(uint32_t* mins, const uint32_t* a, const uint32_t* b, const uint64_t* shingles, int64_t count) {
  __m512i lowest[N], factor[N], addend[N];
  for (int i = 0; i < N; ++i) {
    lowest[i] = _mm512_loadu_si512(mins + 16 * i);
    factor[i] = _mm512_loadu_si512(a + 16 * i);
    addend[i] = _mm512_loadu_si512(b + 16 * i);
  }
  for (int64_t s = 0; s < count; ++s) {
    __m512i x = _mm512_set1_epi32(static_cast<int>(shingles[s] >> 32));
    for (int i = 0; i < N; ++i)
      lowest[i] = _mm512_min_epu32(lowest[i], _mm512_add_epi32(_mm512_mullo_epi32(factor[i], x), addend[i]));
  }
  for (int i = 0; i < N; ++i) _mm512_storeu_si512(mins + 16 * i, lowest[i]);
}

}  // namespace

void minhash_avx512(uint32_t* mins, const uint32_t* a, const uint32_t* b, int lanes, const uint64_t* shingles, int64_t count) {
  constexpr int64_t kBlock = 2048;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    int64_t n = std::min(kBlock, count - begin);
    int lane = 0;
    for (; lane + 112 <= lanes; lane += 112) pass<7>(mins + lane, a + lane, b + lane, shingles + begin, n);
    for (; lane + 64 <= lanes; lane += 64) pass<4>(mins + lane, a + lane, b + lane, shingles + begin, n);
    for (; lane < lanes; lane += 16) pass<1>(mins + lane, a + lane, b + lane, shingles + begin, n);
  }
}

}  // namespace llmkit::dedup
#endif
