#include "dedup/minhash.h"

#if defined(__AVX512F__)
#include "dedup/minhash_kernel.h"

namespace llmkit::dedup {

void minhash_avx512(uint32_t* mins, const uint32_t* a, const uint32_t* b, int lanes, const uint64_t* shingles,
                    int64_t count) {
  minhash_lanes<16, 7>(mins, a, b, lanes, shingles, count);
}

}  // namespace llmkit::dedup
#endif
