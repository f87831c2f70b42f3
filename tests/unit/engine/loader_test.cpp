#include "engine/loader.h"

#include <doctest/doctest.h>
#include <numeric>

using namespace llmkit::engine;

namespace {

// Token i of the stream is i, so a batch tells where it was cut.
TokenStream counting_stream(uint64_t tokens) {
  return {tokens, [tokens](uint64_t position, std::span<int32_t> out) {
            REQUIRE(position + out.size() <= tokens);
            std::iota(out.begin(), out.end(), static_cast<int32_t>(position));
          }};
}

}  // namespace

TEST_CASE("targets are the tokens that follow, and a step's rows are the same however they are cut into micro-batches") {
  WindowOptions whole, parts;
  whole.length = parts.length = 7;
  whole.sequences = 6, whole.micro_batches = 1;
  parts.sequences = 2, parts.micro_batches = 3;
  WindowLoader a(counting_stream(500), {}, whole), b(counting_stream(500), {}, parts);
  CHECK(a.begin(0).targets == b.begin(0).targets);
  LmBatch one, part;
  for (int64_t step : {0, 1, 30}) {
    a.micro_batch(step, 0, one);
    std::vector<int32_t> joined;
    for (int64_t micro = 0; micro < 3; ++micro) {
      b.micro_batch(step, micro, part);
      CHECK(part.first_sequence == static_cast<uint64_t>(step * 6 + micro * 2));
      joined.insert(joined.end(), part.tokens.begin(), part.tokens.end());
    }
    CHECK(joined == one.tokens);
    for (size_t i = 0; i < one.tokens.size(); ++i) REQUIRE(one.targets[i] == one.tokens[i] + 1);
  }
}

TEST_CASE("validation predicts every token but the first exactly once, for any batch size") {
  for (int64_t rows : {1, 3, 4, 100}) {
    for (uint64_t tokens : {2, 8, 9, 10, 57, 64, 65, 200}) {
      WindowOptions options;
      options.length = 8;
      options.validation_sequences = rows;
      WindowLoader loader(counting_stream(100), counting_stream(tokens), options);
      std::vector<int32_t> targets;
      LmBatch batch;
      for (int64_t i = 0; i < loader.validation_batches(); ++i) {
        loader.validation_batch(i, batch);
        targets.insert(targets.end(), batch.targets.begin(), batch.targets.end());
      }
      REQUIRE(targets.size() == tokens - 1);
      CHECK(loader.validation_targets() == static_cast<int64_t>(tokens - 1));
      for (size_t i = 0; i < targets.size(); ++i) REQUIRE(targets[i] == static_cast<int32_t>(i + 1));
    }
  }
}

TEST_CASE("no validation stream means no validation batches, and a cap cuts them") {
  WindowOptions options;
  options.length = 8;
  CHECK(WindowLoader(counting_stream(100), {}, options).validation_batches() == 0);
  options.max_validation_tokens = 20;
  options.validation_sequences = 2;
  WindowLoader loader(counting_stream(100), counting_stream(1000), options);
  CHECK(loader.validation_batches() == 2);  // 16 targets, then 4
  CHECK(loader.validation_targets() == 20);
}

TEST_CASE("a separator token ends its document and the next one begins behind it") {
  TokenStream stream{9, [](uint64_t position, std::span<int32_t> out) {
                       const int32_t text[] = {5, 0, 6, 7, 0, 8, 9, 1, 1};
                       std::copy_n(text + position, out.size(), out.begin());
                     }};
  WindowOptions options;
  options.length = 8;
  options.sequences = 1;
  options.separator = 0;
  WindowLoader loader(stream, {}, options);
  LmBatch batch;
  loader.micro_batch(0, 0, batch);
  CHECK(batch.documents == std::vector<int32_t>{0, 0, 1, 1, 1, 2, 2, 2});
}
