// The inner loop with 8 lanes a register: four registers of minima and their coefficients a pass, because there are 16.
#if defined(__AVX2__)
#include <immintrin.h>

#include <algorithm>
#include <cstdint>

namespace llmkit::dedup {
namespace {

template <int N>
void pass(uint32_t* mins, const uint32_t* a, const uint32_t* b, const uint64_t* shingles, int64_t count) {
  auto load = [](const uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); };
  __m256i lowest[N], factor[N], addend[N];
  for (int i = 0; i < N; ++i) {
    lowest[i] = load(mins + 8 * i);
    factor[i] = load(a + 8 * i);
    addend[i] = load(b + 8 * i);
  }
  for (int64_t s = 0; s < count; ++s) {
    __m256i x = _mm256_set1_epi32(static_cast<int>(shingles[s] >> 32));
    for (int i = 0; i < N; ++i)
      lowest[i] = _mm256_min_epu32(lowest[i], _mm256_add_epi32(_mm256_mullo_epi32(factor[i], x), addend[i]));
  }
  for (int i = 0; i < N; ++i) _mm256_storeu_si256(reinterpret_cast<__m256i*>(mins + 8 * i), lowest[i]);
}

}  // namespace

void minhash_avx2(uint32_t* mins, const uint32_t* a, const uint32_t* b, int lanes, const uint64_t* shingles, int64_t count) {
  constexpr int64_t kBlock = 2048;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    int64_t n = std::min(kBlock, count - begin);
    int lane = 0;
    for (; lane + 32 <= lanes; lane += 32) pass<4>(mins + lane, a + lane, b + lane, shingles + begin, n);
    for (; lane < lanes; lane += 16) pass<2>(mins + lane, a + lane, b + lane, shingles + begin, n);
  }
}

}  // namespace llmkit::dedup
#endif
