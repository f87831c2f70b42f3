#include "dedup/minhash.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "base/rng.h"

using namespace llmkit;
using namespace llmkit::dedup;

namespace {

// Two sets of random shingles, `common` shared and `own` of each alone.
struct SetPair {
  std::vector<uint64_t> a, b;
  SetPair(Rng& rng, int common, int own) {
    for (int i = 0; i < common; ++i) b.emplace_back(a.emplace_back(rng.next_u64()));
    for (int i = 0; i < own; ++i) a.push_back(rng.next_u64()), b.push_back(rng.next_u64());
  }
};

bool share_a_band(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b, const MinHashParams& p) {
  for (int band = 0; band < p.bands; ++band)
    if (std::equal(a.begin() + band * p.rows, a.begin() + (band + 1) * p.rows, b.begin() + band * p.rows)) return true;
  return false;
}

}  // namespace

TEST_CASE("the collision curve has FineWeb's published points") {
  MinHashParams fineweb;
  CHECK(fineweb.hashes() == 112);
  CHECK(collision_probability(0.70, fineweb) == doctest::Approx(0.56).epsilon(0.01));
  CHECK(collision_probability(0.75, fineweb) == doctest::Approx(0.77).epsilon(0.01));
  CHECK(collision_probability(0.80, fineweb) == doctest::Approx(0.92).epsilon(0.01));
  CHECK(collision_probability(0.85, fineweb) == doctest::Approx(0.988).epsilon(0.001));
  CHECK(collision_probability(0, fineweb) == 0);
  CHECK(collision_probability(1, fineweb) == 1);
}

TEST_CASE("agreement of signatures estimates the Jaccard similarity without bias and with the binomial spread") {
  MinHashParams params;
  Rng rng{5, 6};
  for (auto [common, own] : {std::pair{10, 95}, {60, 20}, {180, 10}}) {
    double truth = common / (common + 2.0 * own), sum = 0, squares = 0;
    const int pairs = 1500;
    for (int i = 0; i < pairs; ++i) {
      params.seed = static_cast<uint64_t>(i);  // new hash functions each time: the error of the family, not of one draw
      MinHasher hasher(params);
      SetPair sets(rng, common, own);
      std::vector<uint32_t> a(112), b(112);
      hasher.run(sets.a, a);
      hasher.run(sets.b, b);
      double error = signature_agreement(a, b) - truth;
      sum += error;
      squares += error * error;
    }
    double spread = std::sqrt(truth * (1 - truth) / 112);
    CAPTURE(truth);
    CHECK(std::abs(sum / pairs) < 4 * spread / std::sqrt(pairs));
    CHECK(std::sqrt(squares / pairs) == doctest::Approx(spread).epsilon(0.1));
  }
}

TEST_CASE("documents meet in a band as often as 1 - (1 - s^8)^14 says") {
  MinHashParams params;
  Rng rng{7, 8};
  const int pairs = 2000;
  for (auto [common, own] : {std::pair{50, 25}, {60, 20}, {70, 15}, {80, 10}}) {  // s = 0.5, 0.6, 0.7, 0.8
    double s = common / (common + 2.0 * own), expected = collision_probability(s, params);
    int met = 0;
    for (int i = 0; i < pairs; ++i) {
      params.seed = rng.next_u64();
      MinHasher hasher(params);
      SetPair sets(rng, common, own);
      std::vector<uint32_t> a(112), b(112);
      hasher.run(sets.a, a);
      hasher.run(sets.b, b);
      met += share_a_band(a, b, params);
    }
    CAPTURE(s);
    CHECK(std::abs(met / double{pairs} - expected) < 4 * std::sqrt(expected * (1 - expected) / pairs) + 1e-9);
  }
}

TEST_CASE("every instruction set gives the same signature") {
  Rng rng{9, 10};
  for (auto [bands, rows] : {std::pair{14, 8}, {1, 1}, {9, 13}, {20, 13}, {16, 8}}) {
    MinHashParams params{bands, rows, 3};
    for (int count : {0, 1, 7, 100, 5000}) {
      std::vector<uint64_t> shingles;
      for (int i = 0; i < count; ++i) shingles.push_back(rng.next_u64());
      auto signature = [&](MinHasher::Kernel kernel) {
        MinHasher hasher(params);
        if (kernel) hasher.set_kernel(kernel);
        std::vector<uint32_t> out(static_cast<size_t>(params.hashes()));
        hasher.run(shingles, out);
        return out;
      };
      auto expected = signature(minhash_portable);
      CHECK(signature(nullptr) == expected);
#if defined(__x86_64__)
      if (__builtin_cpu_supports("avx2")) CHECK(signature(minhash_avx2) == expected);
      if (__builtin_cpu_supports("avx512f")) CHECK(signature(minhash_avx512) == expected);
#endif
      if (count == 0) CHECK(expected[0] == UINT32_MAX);
    }
  }
}

TEST_CASE("the seed changes the hash functions and nothing else does") {
  std::vector<uint64_t> shingles{1ull << 40, 2ull << 40, 3ull << 40};
  std::vector<uint32_t> a(112), b(112), c(112);
  MinHasher({14, 8, 1}).run(shingles, a);
  MinHasher({14, 8, 1}).run(shingles, b);
  MinHasher({14, 8, 2}).run(shingles, c);
  CHECK(a == b);
  CHECK(signature_agreement(a, c) < 0.1);
}
