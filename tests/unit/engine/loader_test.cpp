#include "engine/loader.h"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <numeric>

#include "base/error.h"
#include "engine/prefetch.h"

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

TEST_CASE(
    "targets are the tokens that follow, and a step's rows are the same however they are cut into micro-batches") {
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

TEST_CASE("two sources share the rows by their weights, each in its own order, and validation tells them apart") {
  auto shifted = [](uint64_t tokens, int32_t first) {
    return TokenStream{tokens, [first](uint64_t position, std::span<int32_t> out) {
                         std::iota(out.begin(), out.end(), first + static_cast<int32_t>(position));
                       }};
  };
  WindowOptions options;
  options.length = 4;
  options.sequences = 10;
  options.validation_sequences = 3;
  std::vector<TokenSource> sources{{"many", shifted(401, 0), shifted(21, 500), 4},
                                   {"few", shifted(201, 1000), shifted(10, 2000), 1}};
  WindowLoader loader(sources, options);
  LmBatch batch;
  std::map<int32_t, int> seen;
  for (int64_t step = 0; step < 100; ++step) {
    loader.micro_batch(step, 0, batch);
    for (int64_t row = 0; row < 10; ++row) ++seen[batch.tokens[static_cast<size_t>(row * 4)]];
  }
  int few = 0;
  for (auto& [first, times] : seen) {
    if (first >= 1000) few += times;
    // 800 rows of 100 windows are eight whole epochs; 200 rows of 50 are four.
    CHECK(times == (first >= 1000 ? 4 : 8));
  }
  CHECK(few == 200);
  CHECK(seen.size() == 150);
  CHECK(loader.epochs(100) == std::vector<double>{8, 4});

  CHECK(loader.sources() == std::vector<std::string>{"many", "few"});
  std::vector<int32_t> targets[2];
  for (int64_t i = 0; i < loader.validation_batches(); ++i) {
    loader.validation_batch(i, batch);
    targets[batch.source].insert(targets[batch.source].end(), batch.targets.begin(), batch.targets.end());
  }
  REQUIRE(targets[0].size() == 20);
  REQUIRE(targets[1].size() == 9);
  for (size_t i = 0; i < 20; ++i) CHECK(targets[0][i] == static_cast<int32_t>(501 + i));
  for (size_t i = 0; i < 9; ++i) CHECK(targets[1][i] == static_cast<int32_t>(2001 + i));
}

TEST_CASE("a growing batch sees the sequences in the same order, none twice and none left out") {
  WindowOptions options;
  options.length = 4;
  options.sequences = 2;
  options.micro_batches = 5;
  options.first_micro_batches = 1;
  options.ramp_steps = 8;
  WindowLoader loader(counting_stream(4001), {}, options);
  uint64_t next = 0;
  std::vector<int64_t> sizes;
  LmBatch batch;
  for (int64_t step = 0; step < 12; ++step) {
    StepShape shape = loader.begin(step);
    sizes.push_back(shape.micro_batches);
    CHECK(shape.targets == shape.micro_batches * 8);
    for (int64_t micro = 0; micro < shape.micro_batches; ++micro) {
      loader.micro_batch(step, micro, batch);
      CHECK(batch.first_sequence == next);
      next += 2;
    }
  }
  CHECK(sizes == std::vector<int64_t>{1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 5});
}

TEST_CASE("batches made ahead are the batches, in order and after jumps, and its failures are passed on") {
  WindowOptions options;
  options.length = 7;
  options.sequences = 3;
  options.micro_batches = 3;
  options.first_micro_batches = 1;
  options.ramp_steps = 4;
  WindowLoader plain(counting_stream(500), counting_stream(40), options),
      inner(counting_stream(500), counting_stream(40), options);
  Prefetch ahead(inner);
  LmBatch wanted, got;
  auto compare = [&](int64_t step, int64_t micro) {
    plain.micro_batch(step, micro, wanted);
    ahead.micro_batch(step, micro, got);
    REQUIRE(got.tokens == wanted.tokens);
    REQUIRE(got.targets == wanted.targets);
    REQUIRE(got.first_sequence == wanted.first_sequence);
  };
  for (int64_t first : {0, 30, 10}) {  // from the start, after a resume, after a rewind
    for (int64_t step = first; step < first + 12; ++step) {
      for (int64_t micro = 0; micro < ahead.begin(step).micro_batches; ++micro) compare(step, micro);
      plain.validation_batch(0, wanted);
      ahead.validation_batch(0, got);
      REQUIRE(got.tokens == wanted.tokens);
    }
  }
  compare(3, 1);
  compare(3, 1);  // again

  std::atomic<bool> broken = false;  // read by the thread that makes batches ahead
  TokenStream failing{500, [&](uint64_t position, std::span<int32_t> out) {
                        if (broken) throw llmkit::Error("disk gone");
                        std::iota(out.begin(), out.end(), static_cast<int32_t>(position));
                      }};
  WindowLoader source(failing, {}, options);
  Prefetch reader(source, 1);
  reader.micro_batch(0, 0, got);
  auto read_on = [&] {
    for (int64_t step = 1; step < 10; ++step)
      for (int64_t micro = 0; micro < reader.begin(step).micro_batches; ++micro) reader.micro_batch(step, micro, got);
  };
  CHECK_NOTHROW(read_on());
  Prefetch fresh(source);
  broken = true;
  CHECK_THROWS_WITH_AS(fresh.micro_batch(0, 0, got), "disk gone", llmkit::Error);
}
