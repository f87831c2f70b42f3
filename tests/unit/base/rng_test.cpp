#include "base/rng.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <vector>

using namespace llmkit;

// Known answers of philox4x32-10 in Random123's kat_vectors (Salmon et al., version 1.14).
TEST_CASE("Philox gives the published vectors") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream can be entered at any position") {
  Rng whole({1, 2});
  std::vector<uint32_t> first;
  for (int i = 0; i < 50; ++i) first.push_back(whole.next_u32());
  for (uint64_t start : {0, 1, 3, 4, 17, 49}) {
    Rng late(whole.key(), start);
    CHECK(late.next_u32() == first[start]);
    CHECK(late.position() == start + 1);
  }
}

TEST_CASE("streams with different words differ, also when their sums agree") {
  CHECK(stream_key({1, 2}) != stream_key({2, 1}));
  CHECK(stream_key({0}) != stream_key({0, 0}));
  CHECK(stream_key({3}) != stream_key({1, 2}));
}

TEST_CASE("uniform numbers have the mean and variance of the uniform distribution") {
  Rng rng({7});
  double sum = 0, square = 0;
  constexpr int kN = 200000;
  for (int i = 0; i < kN; ++i) {
    double u = rng.uniform();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    sum += u;
    square += u * u;
  }
  // Six standard errors: 1/sqrt(12 n) = 0.00065.
  CHECK(sum / kN == doctest::Approx(0.5).epsilon(0.008));
  CHECK(square / kN == doctest::Approx(1.0 / 3).epsilon(0.01));
}

TEST_CASE("normal numbers have mean 0, variance 1 and the tails of the normal distribution") {
  Rng rng({8});
  double sum = 0, square = 0;
  int beyond_two = 0;
  constexpr int kN = 200000;
  for (int i = 0; i < kN; ++i) {
    double x = rng.normal();
    sum += x;
    square += x * x;
    beyond_two += std::abs(x) > 2;
  }
  CHECK(std::abs(sum / kN) < 0.014);
  CHECK(square / kN == doctest::Approx(1).epsilon(0.02));
  CHECK(static_cast<double>(beyond_two) / kN == doctest::Approx(0.0455).epsilon(0.06));
}

TEST_CASE("numbers below n are even over all n values") {
  Rng rng({9});
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) counts[rng.below(7)]++;
  double chi = 0;
  for (int c : counts) chi += (c - 10000.0) * (c - 10000.0) / 10000.0;
  CHECK(chi < 27.9);  // chi squared with 6 degrees of freedom, p = 0.0001
  CHECK(Rng({1}).below(1) == 0);
}

TEST_CASE("a shuffle is a permutation, the same for the same key") {
  std::vector<int> a(100), b;
  std::iota(a.begin(), a.end(), 0);
  b = a;
  Rng({5}).shuffle(a);
  Rng({5}).shuffle(b);
  CHECK(a == b);
  CHECK(!std::is_sorted(a.begin(), a.end()));
  std::sort(b.begin(), b.end());
  CHECK(b.front() == 0);
  CHECK(b.back() == 99);
}
