#include "engine/tile_exchange.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/rng.h"
#include "kernels/reduce.h"
#include "local_ranks.h"

using namespace llmkit;
using namespace llmkit::engine;

namespace {

constexpr int64_t kFlat = 3 * kernels::kSumBlock + 16 * 7;

std::vector<float> numbers_of(int rank) {
  Rng rng{11, static_cast<uint64_t>(rank)};
  std::vector<float> numbers(kFlat);
  for (float& n : numbers) n = static_cast<float>(rng.normal());
  return numbers;
}

// Neighbours first, as the class promises.
std::vector<float> tree_sum(int first, int count) {
  if (count == 1) return numbers_of(first);
  std::vector<float> left = tree_sum(first, count / 2), right = tree_sum(first + count / 2, count / 2);
  for (size_t i = 0; i < left.size(); ++i) left[i] += right[i];
  return left;
}

std::byte* bytes(std::vector<float>& numbers) {
  return static_cast<std::byte*>(static_cast<void*>(numbers.data()));
}

void require(bool right, const char* what) {  // doctest's assertions are for the main thread
  if (!right) throw std::runtime_error(what);
}

bool equal_in(const Tile& tile, const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin() + tile.begin, a.begin() + tile.end(), b.begin() + tile.begin);
}

// Three tiles that are no multiples of anything, and more tiles than are on their way at once.
std::vector<Tile> odd_tiles(int ranks) {
  std::vector<Tile> tiles{{0, 16, ranks - 1}, {16, 5000, 0}};
  for (int64_t begin = 5016; begin < kFlat; begin += 20000)
    tiles.push_back({begin, std::min<int64_t>(20000, kFlat - begin), static_cast<int>(begin % ranks)});
  return tiles;
}

}  // namespace

TEST_CASE("tiles cover a block, whole blocks of the norm each, and owners take turns") {
  for (int64_t flat : {int64_t{16}, kFlat, int64_t{100} << 20})
    for (int ranks : {1, 2, 4, 16}) {
      int64_t at = 0;
      std::vector<int64_t> load(static_cast<size_t>(ranks));
      for (const Tile& tile : even_tiles(flat, ranks)) {
        CHECK(tile.begin == at);
        CHECK(tile.begin % kernels::kSumBlock == 0);
        CHECK(tile.size > 0);
        CHECK(tile.size <= int64_t{1} << 20);
        load[static_cast<size_t>(tile.owner)] += tile.size;
        at = tile.end();
      }
      CHECK(at == flat);
      if (flat > int64_t{50} << 20)
        CHECK(*std::max_element(load.begin(), load.end()) < 1.2 * static_cast<double>(flat) / ranks);
    }
}

TEST_CASE("tiles by parameter cut none") {
  nn::ParameterStore store;
  for (int i = 0; i < 40; ++i)
    store.add({"p" + std::to_string(i), Shape{i % 7 == 0 ? 900 : 10, 1000}, nn::Init::zeros, 0, false});
  auto tiles = parameter_tiles(store, 4);
  int64_t at = 0;
  std::vector<int64_t> load(4);
  for (const Tile& tile : tiles) {
    CHECK(tile.begin == at);
    CHECK(std::any_of(store.list().begin(), store.list().end(), [&](auto& p) { return p.offset == tile.begin; }));
    load[static_cast<size_t>(tile.owner)] += tile.size;
    at = tile.end();
  }
  CHECK(at == store.flat_size());
  CHECK(*std::max_element(load.begin(), load.end()) < store.flat_size() / 2);
}

TEST_CASE("a sum over ranks is the tree's, bit for bit, at the owner, and everywhere once it was shared") {
  for (int size : {1, 2, 4, 8}) {
    std::vector<float> expected = tree_sum(0, size);
    for (bool odd : {false, true})
      LocalRanks::run(size, [&](Communicator& ranks) {
        Parallel parallel(1);
        kernels::Workspace workspace;
        kernels::Exec exec{parallel, workspace};
        TileExchange exchange(ranks, odd ? odd_tiles(size) : even_tiles(kFlat, size), DType::f32);
        for (int again = 0; again < 2; ++again) {
          std::vector<float> numbers = numbers_of(ranks.rank());
          exchange.start_reduce(bytes(numbers), [](const Tile&) {});
          exchange.finish_reduce(exec);
          for (const Tile& tile : exchange.tiles())
            if (exchange.mine(tile)) require(equal_in(tile, numbers, expected), "the owner has another sum");
          exchange.share(bytes(numbers));
          require(numbers == expected, "not everyone has the sum");
        }
      });
  }
}

TEST_CASE("a sum that goes on beside the backward pass touches only what is final") {
  constexpr int kRanks = 4;
  std::vector<float> expected = tree_sum(0, kRanks);
  LocalRanks::run(kRanks, [&](Communicator& ranks) {
    Parallel parallel(1);
    kernels::Workspace workspace;
    kernels::Exec exec{parallel, workspace};
    TileExchange exchange(ranks, odd_tiles(kRanks), DType::f32);
    std::vector<float> final_numbers = numbers_of(ranks.rank()), numbers(kFlat, 1e30f);
    size_t prepared = 0;
    exchange.start_reduce(bytes(numbers), [&](const Tile& tile) {
      ++prepared;
      require(equal_in(tile, numbers, final_numbers), "prepared too early or too late");
    });
    for (int64_t from = kFlat; from > 0;) {  // ranks are at different places
      int64_t next = std::max<int64_t>(0, from - 7000 - 1000 * ranks.rank());
      std::copy(final_numbers.begin() + next, final_numbers.begin() + from, numbers.begin() + next);
      from = next;
      exchange.advance(exec, from);
      require(std::all_of(numbers.begin(), numbers.begin() + from, [](float n) { return n == 1e30f; }),
              "changed too early");
    }
    exchange.finish_reduce(exec);
    require(prepared == exchange.tiles().size(), "not every tile was prepared once");
    exchange.share(bytes(numbers));
    require(numbers == expected, "another sum");
  });
}

TEST_CASE("state goes to rank 0 and back to its owners") {
  for (int size : {1, 2, 4})
    LocalRanks::run(size, [&](Communicator& ranks) {
      TileExchange exchange(ranks, odd_tiles(size), DType::f32);
      std::vector<float> all = numbers_of(0), part(kFlat, -1);
      for (const Tile& tile : exchange.tiles())
        if (exchange.mine(tile)) std::copy_n(all.begin() + tile.begin, tile.size, part.begin() + tile.begin);
      std::vector<float> mine = part;
      exchange.collect(bytes(part));
      require(part == (ranks.leader() ? all : mine), "not collected");
      std::vector<float> from = ranks.leader() ? all : std::vector<float>(kFlat, -1);
      exchange.hand_out(bytes(from));
      for (const Tile& tile : exchange.tiles())
        if (exchange.mine(tile)) require(equal_in(tile, from, all), "not handed out");
    });
}
