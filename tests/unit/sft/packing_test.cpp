#include "sft/packing.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/rng.h"

using namespace llmkit;
using namespace llmkit::sft;

TEST_CASE("every example is packed once and no row overflows") {
  Rng rng({9});
  for (int round = 0; round < 50; ++round) {
    std::vector<int64_t> lengths(rng.below(200));
    for (auto& n : lengths) n = 1 + static_cast<int64_t>(rng.below(100));
    std::vector<int> seen(lengths.size());
    int64_t total = 0;
    auto rows = pack_best_fit(lengths, 100);
    for (auto& row : rows) {
      int64_t used = 0;
      for (int64_t e : row.examples) {
        ++seen[static_cast<size_t>(e)];
        used += lengths[static_cast<size_t>(e)];
      }
      CHECK(used == row.used);
      CHECK(used <= 100);
      total += used;
    }
    CHECK(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
    // Best fit decreasing needs at most 11/9 of the best number of rows, and one more (Johnson 1973).
    if (total > 0) CHECK(static_cast<int64_t>(rows.size()) * 9 <= 11 * ((total + 99) / 100) * 2);
  }
}

TEST_CASE("best fit fills rows that first fit would leave open") {
  std::vector<int64_t> lengths{6, 5, 4, 3, 2};
  auto rows = pack_best_fit(lengths, 10);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].examples == std::vector<int64_t>{0, 2});     // 6 + 4
  CHECK(rows[1].examples == std::vector<int64_t>{1, 3, 4});  // 5 + 3 + 2
  CHECK(pack_none(lengths).size() == 5);
}

TEST_CASE("a packed row restarts positions and documents, and predicts the next token of its own example") {
  std::vector<Example> examples(2);
  examples[0].tokens = {10, 11, 12};
  examples[0].trained = {false, false, true};
  examples[1].tokens = {20, 21};
  examples[1].trained = {false, true};
  PackedBatch batch;
  batch.add_row({{0, 1}, 3}, examples, 5, 99);
  CHECK(batch.tokens == std::vector<int32_t>{10, 11, 20, 99, 99});
  CHECK(batch.positions == std::vector<int32_t>{0, 1, 0, 0, 1});
  CHECK(batch.documents == std::vector<int32_t>{0, 0, 1, 2, 2});
  CHECK(batch.targets == std::vector<int32_t>{-1, 12, 21, -1, -1});
  batch.add_row({{1}, 1}, examples, 5, 99);
  CHECK(batch.tokens.size() == 10);
  batch.clear();
  CHECK(batch.targets.empty());
}
