// MinHash signatures (Broder, "On the resemblance and containment of documents", 1997).
// For hash functions h_i the share of i with min_{x in A} h_i(x) = min_{x in B} h_i(x) is an unbiased estimate of the
// Jaccard similarity |A n B| / |A u B|; its standard error is sqrt(J (1 - J) / hashes).
// Here x is 32 well-mixed bits of a shingle's hash and h_i(x) = a_i x + b_i mod 2^32 with odd a_i: a permutation of the
// 32-bit numbers, one vector multiply, add and min a lane. Integers, so every instruction set gives the same bits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace llmkit::dedup {

struct MinHashParams {
  int bands = 14;  // FineWeb: 14 x 8 = 112 hashes, half of the pairs at similarity 0.69 collide
  int rows = 8;
  uint64_t seed = 0;
  int hashes() const { return bands * rows; }
};

class MinHasher {
 public:
  explicit MinHasher(const MinHashParams& params);

  // `signature` has params.hashes() values. A document without shingles gets all ones.
  void run(std::span<const uint64_t> shingles, std::span<uint32_t> signature) const;

  // The loop over shingles for every instruction set; `mins`, `a` and `b` have `lanes` values, a multiple of 16.
  using Kernel = void (*)(uint32_t* mins, const uint32_t* a, const uint32_t* b, int lanes, const uint64_t* shingles,
                          int64_t count);
  // Instead of the best that this machine has.
  void set_kernel(Kernel kernel) { kernel_ = kernel; }

 private:
  int hashes_;
  std::vector<uint32_t> a_, b_;
  Kernel kernel_;
};

void minhash_portable(uint32_t* mins, const uint32_t* a, const uint32_t* b, int lanes, const uint64_t* shingles,
                      int64_t count);
void minhash_avx2(uint32_t* mins, const uint32_t* a, const uint32_t* b, int lanes, const uint64_t* shingles,
                  int64_t count);
void minhash_avx512(uint32_t* mins, const uint32_t* a, const uint32_t* b, int lanes, const uint64_t* shingles,
                    int64_t count);

// The share of equal positions: the estimate of the Jaccard similarity.
double signature_agreement(std::span<const uint32_t> a, std::span<const uint32_t> b);

// The probability that two documents of similarity s meet in at least one band: 1 - (1 - s^rows)^bands.
double collision_probability(double similarity, const MinHashParams& params);

}  // namespace llmkit::dedup
