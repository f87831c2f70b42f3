#include "engine/data_order.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <set>
#include <vector>

#include "base/error.h"

using namespace llmkit;
using namespace llmkit::engine;

TEST_CASE("a permutation visits every index of any size exactly once") {
  for (uint64_t size : {1, 2, 3, 4, 5, 15, 16, 17, 1000, 4096, 65537}) {
    Permutation order(size, 42);
    std::vector<bool> seen(size);
    for (uint64_t i = 0; i < size; ++i) {
      uint64_t value = order(i);
      REQUIRE(value < size);
      REQUIRE_FALSE(seen[value]);
      seen[value] = true;
    }
  }
}

TEST_CASE("a permutation of a huge range stays in the range and differs between keys") {
  uint64_t size = (uint64_t{1} << 62) + 12345;
  Permutation a(size, 1), b(size, 2);
  int equal = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    REQUIRE(a(i) < size);
    equal += a(i) == b(i);
  }
  CHECK(equal == 0);
}

TEST_CASE("a permutation leaves no order behind: neighbours land a third of the range apart on average") {
  // For independent uniform places the mean distance is n/3; an identity or a rotation would give 1.
  uint64_t size = 10000;
  Permutation order(size, 7);
  double distance = 0;
  for (uint64_t i = 0; i + 1 < size; ++i)
    distance += std::abs(static_cast<double>(order(i)) - static_cast<double>(order(i + 1)));
  CHECK(distance / (size - 1) == doctest::Approx(size / 3.0).epsilon(0.03));
}

TEST_CASE("each epoch visits every window once, in another order, inside the stream") {
  uint64_t tokens = 1037, length = 8;
  DataOrder order(OrderKind::windows, 3, tokens, length);
  REQUIRE(order.windows_per_epoch() == 129);
  std::vector<std::vector<uint64_t>> epochs;
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<uint64_t> starts;
    for (uint64_t i = 0; i < 129; ++i) starts.push_back(order.start(epoch * 129 + i));
    epochs.push_back(starts);
    std::sort(starts.begin(), starts.end());
    CHECK(starts.back() + length < tokens);  // the last target exists
    for (size_t i = 1; i < starts.size(); ++i) REQUIRE(starts[i] - starts[i - 1] == length);
  }
  CHECK(epochs[0] != epochs[1]);
  CHECK(epochs[1] != epochs[2]);
}

TEST_CASE("the tokens that fill no window are not the same ones in every epoch") {
  DataOrder order(OrderKind::windows, 3, 8 * 10 + 1 + 7, 8);
  std::set<uint64_t> offsets;
  for (uint64_t epoch = 0; epoch < 40; ++epoch) offsets.insert(order.start(epoch * 10) % 8);
  CHECK(offsets.size() >= 6);
}

TEST_CASE("crops cover the stream evenly and stay inside it") {
  uint64_t tokens = 1000, length = 10;
  DataOrder order(OrderKind::crops, 5, tokens, length);
  std::vector<int> counts(10);
  for (uint64_t i = 0; i < 9900; ++i) {
    uint64_t start = order.start(i);
    REQUIRE(start + length < tokens);
    ++counts[start * 10 / 990];
  }
  for (int count : counts) CHECK(count == doctest::Approx(990).epsilon(0.15));  // 4.7 standard deviations
}

TEST_CASE("the order depends on the seed and on nothing else") {
  DataOrder a(OrderKind::windows, 1, 5000, 16), b(OrderKind::windows, 1, 5000, 16), c(OrderKind::windows, 2, 5000, 16);
  int differs = 0;
  for (uint64_t i = 900; i-- > 0;) {  // any order of asking
    REQUIRE(a.start(i) == b.start(i));
    differs += a.start(i) != c.start(i);
  }
  CHECK(differs > 850);
}

TEST_CASE("a stream shorter than one sequence is refused with the numbers") {
  CHECK_THROWS_WITH_AS(DataOrder(OrderKind::windows, 1, 8, 8), doctest::Contains("expected 9 tokens or more, found 8"), Error);
  CHECK_NOTHROW(DataOrder(OrderKind::crops, 1, 9, 8).start(0));
  CHECK(DataOrder(OrderKind::crops, 1, 9, 8).start(17) == 0);
}
