#include "dedup/minhash.h"

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "dedup/minhash_kernel.h"

namespace llmkit::dedup {
namespace {

constexpr int kLaneMultiple = 16;
constexpr uint64_t kStream = 0x6D696E68617368;  // names the coefficients' random stream

MinHasher::Kernel best_kernel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return minhash_avx512;
  if (__builtin_cpu_supports("avx2")) return minhash_avx2;
#endif
  return minhash_portable;
}

}  // namespace

MinHasher::MinHasher(const MinHashParams& params) : hashes_(params.hashes()), kernel_(best_kernel()) {
  auto lanes = static_cast<size_t>((hashes_ + kLaneMultiple - 1) / kLaneMultiple * kLaneMultiple);
  Rng rng{kStream, params.seed};
  for (size_t i = 0; i < lanes; ++i) {
    a_.push_back(rng.next_u32() | 1);
    b_.push_back(rng.next_u32());
  }
}

void MinHasher::run(std::span<const uint64_t> shingles, std::span<uint32_t> signature) const {
  std::vector<uint32_t> mins(a_.size(), UINT32_MAX);
  kernel_(mins.data(), a_.data(), b_.data(), static_cast<int>(mins.size()), shingles.data(),
          static_cast<int64_t>(shingles.size()));
  std::copy_n(mins.begin(), signature.size(), signature.begin());
}

void minhash_portable(uint32_t* mins, const uint32_t* a, const uint32_t* b, int lanes, const uint64_t* shingles,
                      int64_t count) {
  minhash_lanes<4, 4>(mins, a, b, lanes, shingles, count);
}

double signature_agreement(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  size_t equal = 0;
  for (size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  return static_cast<double>(equal) / static_cast<double>(a.size());
}

double collision_probability(double similarity, const MinHashParams& params) {
  return 1 - std::pow(1 - std::pow(similarity, params.rows), params.bands);
}

}  // namespace llmkit::dedup
