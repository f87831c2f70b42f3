#include "nn/kv_cache.h"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

using namespace llmkit;

TEST_CASE("a cache keeps what is appended from strided rows while it grows") {
  nn::KvCache cache(3, DType::f32);
  std::vector<float> rows(200 * 8);
  std::iota(rows.begin(), rows.end(), 0.0f);
  for (int64_t r = 0; r < 200; ++r) cache.append<float>(rows.data() + r * 8, rows.data() + r * 8 + 4, 1, 8);
  CHECK(cache.length() == 200);
  for (int64_t r : {0, 63, 64, 199}) {
    CHECK(cache.keys<float>()[r * 3 + 2] == static_cast<float>(r * 8 + 2));
    CHECK(cache.values<float>()[r * 3 + 2] == static_cast<float>(r * 8 + 6));
  }
}

TEST_CASE("a fork is a copy of its own, and a truncated cache continues from there") {
  nn::KvCache cache(1, DType::f64);
  std::vector<double> v = {1, 2, 3};
  cache.append<double>(v.data(), v.data(), 3, 1);
  auto copy = cache.fork();
  cache.truncate(1);
  std::vector<double> other = {9};
  cache.append<double>(other.data(), other.data(), 1, 1);
  CHECK(cache.length() == 2);
  CHECK(cache.keys<double>()[1] == 9.0);
  CHECK(copy->length() == 3);
  CHECK(static_cast<nn::KvCache&>(*copy).keys<double>()[1] == 2.0);
  CHECK_THROWS_AS(cache.truncate(5), Error);
}
