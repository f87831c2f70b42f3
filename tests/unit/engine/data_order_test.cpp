#include "engine/data_order.h"

#include <doctest/doctest.h>

#include <algorithm>
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
  CHECK_THROWS_WITH_AS(DataOrder(OrderKind::windows, 1, 8, 8), doctest::Contains("expected 9 tokens or more, found 8"),
                       Error);
  CHECK_NOTHROW(DataOrder(OrderKind::crops, 1, 9, 8).start(0));
  CHECK(DataOrder(OrderKind::crops, 1, 9, 8).start(17) == 0);
}

TEST_CASE("sources get their exact share of every period, numbered without gaps") {
  std::vector<double> weights{4, 4, 2, 0.0001};
  SourceMix mix(weights, 9);
  CHECK(mix.per_period(0) == 400);
  CHECK(mix.per_period(1) == 399);  // one sequence is the last source's
  CHECK(mix.per_period(2) == 200);
  CHECK(mix.per_period(3) == 1);
  std::vector<std::vector<uint64_t>> indices(4);
  for (uint64_t n = 0; n < 3 * SourceMix::kPeriod; ++n) {
    auto [source, index] = mix.at(n);
    indices[source].push_back(index);
  }
  for (auto& list : indices) {
    std::sort(list.begin(), list.end());
    for (size_t i = 0; i < list.size(); ++i) REQUIRE(list[i] == i);
  }
  CHECK(indices[1].size() == 3 * mix.per_period(1));
  // A thousand sources of equal weight still have one each.
  CHECK(SourceMix(std::vector<double>(1000, 1.0), 1).per_period(999) == 1);
  // The order differs between periods and between seeds.
  auto sources = [](const SourceMix& m, uint64_t from) {
    std::vector<size_t> out;
    for (uint64_t n = from; n < from + 100; ++n) out.push_back(m.at(n).source);
    return out;
  };
  CHECK(sources(mix, 0) != sources(mix, 1000));
  CHECK(sources(mix, 0) != sources(SourceMix(weights, 10), 0));
  CHECK(sources(mix, 500) == sources(SourceMix(weights, 9), 500));
}

TEST_CASE("a batch ramp adds up, and knows how long a number of micro-batches takes") {
  BatchRamp ramp(8, 2, 6);  // 2 3 4 5 6 7 8 8 …
  for (int64_t step = 0; step < 10; ++step) CHECK(ramp.at(step) == std::min<int64_t>(8, 2 + step));
  CHECK(ramp.before(6) == 27);
  CHECK(ramp.before(8) == 43);
  CHECK(ramp.steps_for(5) == 2);
  CHECK(ramp.steps_for(6) == 3);
  CHECK(ramp.steps_for(27) == 6);
  CHECK(ramp.steps_for(28) == 7);
  CHECK(ramp.steps_for(43.5) == 9);
  BatchRamp flat(3);
  CHECK(flat.at(0) == 3);
  CHECK(flat.before(7) == 21);
  CHECK(flat.steps_for(7) == 3);
}

TEST_CASE("sequential order goes from the start to the end, again and again") {
  DataOrder order(parse_order("sequential"), 5, 33, 8);
  for (uint64_t n = 0; n < 12; ++n) CHECK(order.start(n) == n % 4 * 8);
}
