#include "mix/plan.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "base/rng.h"

using namespace llmkit;
using namespace llmkit::mix;

namespace {

uint64_t sum(const Plan& plan) {
  uint64_t total = 0;
  for (auto& s : plan.sources) total += s.units;
  return total;
}

}  // namespace

TEST_CASE("largest remainders add up, and are within one of the exact shares") {
  CHECK(largest_remainder({1, 1, 1}, 10) == std::vector<uint64_t>{4, 3, 3});
  CHECK(largest_remainder({47, 16, 15.8, 12, 6.1, 3.1}, 10) ==
        std::vector<uint64_t>{5, 2, 1, 1, 1, 0});  // Hamilton's method, a textbook election
  Rng rng{1, 2};
  for (int round = 0; round < 200; ++round) {
    std::vector<double> parts;
    for (uint64_t i = 0, n = 1 + rng.below(20); i < n; ++i) parts.push_back(rng.uniform() + 1e-6);
    uint64_t total = rng.below(1'000'000'000'000);
    auto out = largest_remainder(parts, total);
    CHECK(std::accumulate(out.begin(), out.end(), uint64_t{0}) == total);
    double all = std::accumulate(parts.begin(), parts.end(), 0.0);
    for (size_t i = 0; i < parts.size(); ++i)
      CHECK(std::abs(static_cast<double>(out[i]) - static_cast<double>(total) * parts[i] / all) < 1.001);
  }
}

TEST_CASE("weights 4:4:2 give shares of 40, 40 and 20 percent, exactly") {
  auto plan = make_plan({{"zh", 4, 1000}, {"en", 4, 1000}, {"code", 2, 1000}}, {1001, 1, 4});
  CHECK(plan.sources[0].units == 401);
  CHECK(plan.sources[1].units == 400);
  CHECK(plan.sources[2].units == 200);
  CHECK(plan.total == 1001);
}

TEST_CASE("without weights the sizes count, and temperature evens them out") {
  auto natural = make_plan({{"big", 0, 900}, {"small", 0, 100}}, {100, 1, 4});
  CHECK(natural.sources[0].units == 90);
  auto even = make_plan({{"big", 0, 900}, {"small", 0, 100}}, {100, 2, 4});  // square roots: 30 to 10
  CHECK(even.sources[0].units == 75);
  CHECK(even.sources[1].units == 25);
}

TEST_CASE("a source at its epoch cap leaves the rest to the others, by their weights") {
  auto plan = make_plan({{"scarce", 1, 10}, {"a", 1, 1000}, {"b", 2, 1000}}, {400, 1, 2});
  CHECK(plan.sources[0].units == 20);
  CHECK(plan.sources[0].capped);
  CHECK(plan.sources[1].units == 127);  // 380 in thirds, the larger remainder up
  CHECK(plan.sources[2].units == 253);
  CHECK(sum(plan) == 400);
  // One cap can push another source over its own.
  auto chain = make_plan({{"a", 1, 10}, {"b", 1, 40}, {"c", 1, 1000}}, {150, 1, 1});
  CHECK(chain.sources[0].units == 10);
  CHECK(chain.sources[1].units == 40);
  CHECK(chain.sources[2].units == 100);
}

TEST_CASE("a budget beyond all caps is filled as far as it goes") {
  auto plan = make_plan({{"a", 1, 10}, {"b", 3, 20}}, {1000, 1, 1.5});
  CHECK(plan.sources[0].units == 15);
  CHECK(plan.sources[1].units == 30);
  CHECK(plan.total == 45);
}

TEST_CASE("without a budget the scarcest source sets the size and keeps the proportions") {
  auto plan = make_plan({{"a", 3, 300}, {"b", 1, 1000}}, {0, 1, 1});
  CHECK(plan.sources[0].units == 300);
  CHECK(plan.sources[1].units == 100);
  auto natural = make_plan({{"a", 0, 300}, {"b", 0, 1000}}, {0, 1, 1});
  CHECK(natural.sources[0].units == 300);
  CHECK(natural.sources[1].units == 1000);
}

TEST_CASE("empty sources get nothing and harm nobody") {
  auto plan = make_plan({{"empty", 5, 0}, {"a", 1, 100}}, {50, 1, 4});
  CHECK(plan.sources[0].units == 0);
  CHECK(plan.sources[1].units == 50);
  CHECK(make_plan({{"empty", 0, 0}}, {50, 1, 4}).total == 0);
  CHECK(make_plan({{"empty", 0, 0}}, {0, 1, 4}).total == 0);
}
