#include "dedup/lsh.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "base/rng.h"
#include "dedup/union_find.h"

using namespace llmkit;
using namespace llmkit::dedup;

namespace {

// Signatures in which neighbours of a group agree on some bands.
SignatureTable grouped(size_t documents, uint64_t distinct, MinHashParams params) {
  SignatureTable table{params};
  Rng rng{11, documents, distinct};
  for (size_t d = 0; d < documents; ++d)
    for (int band = 0; band < params.bands; ++band) {
      auto value = static_cast<uint32_t>(rng.below(distinct));
      for (uint32_t row = 0; row < static_cast<uint32_t>(params.rows); ++row)
        table.values.append(std::vector<uint32_t>{value + row});
    }
  return table;
}

std::vector<uint32_t> everyone(const SignatureTable& table) {
  std::vector<uint32_t> all(table.documents());
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

}  // namespace

TEST_CASE("the candidates are the pairs that agree on a whole band") {
  SignatureTable table = grouped(200, 100, {3, 4, 0});
  std::vector<Pair> expected;
  for (uint32_t b = 0; b < 200; ++b)
    for (uint32_t a = 0; a < b; ++a)
      for (size_t band = 0; band < 3; ++band) {
        auto x = table.of(a).subspan(band * 4, 4), y = table.of(b).subspan(band * 4, 4);
        if (std::equal(x.begin(), x.end(), y.begin())) {
          expected.push_back({a, b});
          break;
        }
      }
  std::sort(expected.begin(), expected.end());
  REQUIRE(expected.size() > 100);
  Parallel one(1);
  auto members = everyone(table);
  CHECK(candidate_pairs(table, members, one) == expected);
}

TEST_CASE("documents that do not take part are in no pair") {
  SignatureTable table = grouped(50, 1, {2, 2, 0});
  Parallel one(1);
  std::vector<uint32_t> some{3, 7};
  CHECK(candidate_pairs(table, some, one) == std::vector<Pair>{{3, 7}});
}

TEST_CASE("a bucket with everyone in it costs pairs linear in its size and still connects all") {
  SignatureTable table = grouped(5000, 1, {2, 2, 0});
  Parallel one(1);
  auto pairs = candidate_pairs(table, everyone(table), one);
  CHECK(pairs.size() < 2 * 5000);
  UnionFind sets(5000);
  for (auto& p : pairs) sets.unite(p.a, p.b);
  for (uint32_t d = 0; d < 5000; ++d) REQUIRE(sets.find(d) == 0);
}

TEST_CASE("one and eight threads find the same candidates") {
  SignatureTable table = grouped(60'000, 40'000, {14, 8, 0});
  auto members = everyone(table);
  auto expected = [&] {
    Parallel one(1);
    return candidate_pairs(table, members, one);
  }();
  Parallel eight(8);
  CHECK(expected.size() > 100'000);
  for (int round = 0; round < 30 && (round == 0 || eight.stats().least_tiles < 3); ++round)
    REQUIRE(candidate_pairs(table, members, eight) == expected);
  CHECK(eight.stats().workers >= 2);
  CHECK(eight.stats().least_tiles >= 3);
}

TEST_CASE("the root of a set is its smallest member, whatever the order of the unions") {
  std::vector<Pair> edges{{5, 9}, {2, 5}, {7, 8}, {8, 9}, {1, 3}};
  std::sort(edges.begin(), edges.end());
  do {
    UnionFind sets(10);
    for (auto& e : edges) sets.unite(e.a, e.b);
    for (uint32_t d : {2u, 5u, 7u, 8u, 9u}) REQUIRE(sets.find(d) == 2);
    REQUIRE(sets.find(3) == 1);
    REQUIRE(sets.find(0) == 0);
  } while (std::next_permutation(edges.begin(), edges.end()));
}
