#include "base/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"

using namespace llmkit;

namespace {

// Work that takes about a millisecond, so that two workers share the tiles also on a busy machine.
double busy(uint64_t seed) {
  Rng rng({seed});
  double sum = 0;
  for (int i = 0; i < 20000; ++i) sum += std::sin(rng.uniform());
  return sum;
}

std::vector<double> tiled_sums(Parallel& parallel) {
  std::vector<double> sums(400);
  parallel.for_tiles(400, [&](int64_t tile) { sums[static_cast<size_t>(tile)] = busy(static_cast<uint64_t>(tile)); });
  return sums;
}

// Numbers 0 … n-1 through the pipeline; returns what the sink saw.
std::vector<double> piped(Parallel& parallel, int n, int64_t max_items) {
  std::vector<double> seen;
  int next = 0;
  parallel.pipeline<std::pair<int, double>>(
      max_items,
      [&](auto& item) {
        item.first = next++;
        return item.first < n;
      },
      [](auto& item) { item.second = busy(static_cast<uint64_t>(item.first)); },
      [&](auto& item) { seen.push_back(item.second); });
  return seen;
}

bool shared(const Parallel& parallel) {
  return parallel.stats().workers >= 2 && parallel.stats().least_tiles >= 3;
}

// `same` on pools of eight until each worker that came had three tiles: on a busy machine one may come late.
template <class F>
void check_shared(F&& same) {
  bool was_shared = false;
  for (int attempt = 0; attempt < 20 && !was_shared; ++attempt) {
    Parallel eight(8);
    CHECK(same(eight));
    was_shared = shared(eight);
  }
  CHECK(was_shared);
}

}  // namespace

TEST_CASE("tiles give the same numbers for one worker and eight, and both shared the work") {
  Parallel one(1);
  auto expected = tiled_sums(one);
  CHECK(one.stats().tiles == 400);
  check_shared([&](Parallel& eight) { return tiled_sums(eight) == expected && eight.stats().tiles == 400; });
}

TEST_CASE("every tile runs exactly once") {
  Parallel parallel(8);
  std::vector<std::atomic<int>> runs(5000);
  parallel.for_tiles(5000, [&](int64_t tile) { runs[static_cast<size_t>(tile)]++; });
  for (auto& r : runs) REQUIRE(r == 1);
  parallel.for_tiles(0, [&](int64_t) { FAIL("no tile to run"); });
}

TEST_CASE("ranges cover everything without overlap") {
  Parallel parallel(3);
  std::vector<std::atomic<int>> seen(1003);
  parallel.for_ranges(1003, 100, [&](int64_t begin, int64_t end) {
    CHECK(end - begin <= 100);
    for (int64_t i = begin; i < end; ++i) seen[static_cast<size_t>(i)]++;
  });
  for (auto& s : seen) REQUIRE(s == 1);
}

TEST_CASE("of several failing tiles the lowest is reported") {
  Parallel parallel(8);
  for (int round = 0; round < 20; ++round) {
    std::string said;
    try {
      parallel.for_tiles(100, [&](int64_t tile) {
        if (tile % 10 == 7) throw std::runtime_error(std::to_string(tile));
      });
    } catch (const std::runtime_error& error) {
      said = error.what();
    }
    REQUIRE(said == "7");
  }
}

TEST_CASE("tiles inside tiles run serially on the same thread") {
  Parallel parallel(8);
  std::atomic<int> foreign{0};
  parallel.for_tiles(16, [&](int64_t) {
    auto self = std::this_thread::get_id();
    parallel.for_tiles(16, [&](int64_t) { foreign += std::this_thread::get_id() != self; });
  });
  CHECK(foreign == 0);
}

TEST_CASE("a pipeline keeps the order and gives the same for any threads and any window") {
  Parallel one(1), eight(8);
  auto expected = piped(one, 300, 1);
  CHECK(expected.size() == 300);
  check_shared([&](Parallel& parallel) { return piped(parallel, 300, 64) == expected; });
  CHECK(piped(eight, 300, 1) == expected);
  CHECK(piped(eight, 0, 8).empty());
}

TEST_CASE("a pipeline holds no more items than it may, and source and sink stay on the calling thread") {
  Parallel parallel(8);
  int made = 0, taken = 0, most = 0;
  auto self = std::this_thread::get_id();
  bool moved = false;
  parallel.pipeline<int>(
      7,
      [&](int& item) {
        moved |= std::this_thread::get_id() != self;
        item = made++;
        most = std::max(most, made - taken);
        return item < 200;
      },
      [](int& item) { busy(static_cast<uint64_t>(item)); },
      [&](int&) {
        moved |= std::this_thread::get_id() != self;
        ++taken;
      });
  CHECK(taken == 200);
  CHECK(most <= 7 + 1);  // the last call of the source makes none
  CHECK_FALSE(moved);
}

TEST_CASE("an exception in a pipeline comes after exactly the items before it, and no item is lost") {
  struct Counted {
    explicit Counted(std::atomic<int>* n = nullptr) : alive(n) {}
    ~Counted() {
      if (alive) --*alive;
    }
    Counted(const Counted&) = delete;
    std::atomic<int>* alive;
    int id = 0;
  };
  for (std::string place : {"source", "work", "sink"}) {
    CAPTURE(place);
    Parallel parallel(8);
    std::atomic<int> alive{0};
    int next = 0;
    std::vector<int> sunk;
    auto fail_at = [&](const char* here, int id) {
      if (place == here && id == 50) throw std::runtime_error(here);
    };
    CHECK_THROWS_WITH_AS(parallel.pipeline<Counted>(
                             16,
                             [&](Counted& item) {
                               item.id = next++;
                               fail_at("source", item.id);
                               item.alive = &alive;
                               ++alive;
                               return item.id < 1000;
                             },
                             [&](Counted& item) { fail_at("work", item.id); },
                             [&](Counted& item) {
                               fail_at("sink", item.id);
                               sunk.push_back(item.id);
                             }),
                         place.c_str(), std::runtime_error);
    CHECK(alive == 0);
    CHECK(sunk.size() <= 50);
    if (place != "source") CHECK(sunk.size() == 50);
    for (size_t i = 0; i < sunk.size(); ++i) CHECK(sunk[i] == static_cast<int>(i));
  }
}

TEST_CASE("the default number of threads is what this process may use") {
  CHECK(available_threads() >= 1);
  CHECK(Parallel().threads() == available_threads());
  CHECK(Parallel(3).threads() == 3);
}

TEST_CASE("many short calls in a row run every tile of every call") {
  Parallel parallel(4);
  std::atomic<int64_t> sum{0};
  int64_t expected = 0;
  for (int64_t call = 0; call < 2000; ++call) {
    const int64_t tiles = 2 + call % 7;
    parallel.for_tiles(tiles, [&](int64_t tile) { sum += call * tile; });
    expected += call * tiles * (tiles - 1) / 2;
    REQUIRE(sum == expected);
  }
}

TEST_CASE("a second caller does its tiles itself while the pool is taken") {
  Parallel parallel(3);
  std::vector<std::atomic<int>> runs(600);
  auto call = [&](int64_t first) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      parallel.for_tiles(300, [&](int64_t tile) { runs[static_cast<size_t>(first + tile)]++; });
    }
  };
  std::thread other(call, 300);
  call(0);
  other.join();
  for (auto& r : runs) REQUIRE(r == 20);
}
