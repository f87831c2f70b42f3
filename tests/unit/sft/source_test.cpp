#include "sft/source.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace llmkit;
using namespace llmkit::sft;

namespace {

// Example i: the token i+1 repeated, every second one a target.
std::vector<Example> examples(std::initializer_list<int> lengths) {
  std::vector<Example> out;
  for (int length : lengths) {
    Example e;
    e.tokens.assign(static_cast<size_t>(length), static_cast<int32_t>(out.size()) + 1);
    for (int i = 0; i < length; ++i) e.trained.push_back(i % 2 == 1);
    out.push_back(e);
  }
  return out;
}

// How often each token is a target in a step.
std::map<int32_t, int> targets_of(Source& source, int64_t step) {
  std::map<int32_t, int> out;
  engine::LmBatch batch;
  for (int64_t m = 0; m < source.begin(step).micro_batches; ++m) {
    source.micro_batch(step, m, batch);
    for (int32_t t : batch.targets)
      if (t >= 0) ++out[t];
  }
  return out;
}

}  // namespace

TEST_CASE("an epoch shows every target once, in another order each time") {
  auto train = examples({4, 6, 8, 10, 12, 14, 16, 18});
  std::vector<Example> none;
  Source source(train, none, {.seed = 1, .max_length = 20, .sequences = 1, .micro_batches = 1, .packing = false});
  CHECK(source.rows() == 8);
  CHECK(source.length() == 17);
  std::vector<std::vector<int32_t>> orders;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    std::map<int32_t, int> seen;
    orders.emplace_back();
    for (int64_t i = 0; i < 8; ++i) {
      for (auto& [token, count] : targets_of(source, epoch * 8 + i)) {
        seen[token] += count;
        orders.back().push_back(token);
      }
    }
    for (size_t e = 0; e < train.size(); ++e) CHECK(seen[static_cast<int32_t>(e) + 1] == train[e].targets());
  }
  CHECK(orders[0] != orders[1]);
  CHECK(orders[1] != orders[2]);
}

TEST_CASE("a step has the same rows however it is cut into micro-batches, and says its targets beforehand") {
  auto train = examples({4, 6, 8, 10, 12, 14, 16, 18, 5, 3});
  std::vector<Example> none;
  Source whole(train, none, {.seed = 7, .max_length = 20, .sequences = 4, .micro_batches = 1});
  Source cut(train, none, {.seed = 7, .max_length = 20, .sequences = 1, .micro_batches = 4});
  for (int64_t step = 0; step < 5; ++step) {
    auto targets = targets_of(whole, step);
    CHECK(targets == targets_of(cut, step));
    int64_t sum = 0;
    for (auto& [token, count] : targets) sum += count;
    CHECK(whole.begin(step).targets == sum);
    CHECK(whole.begin(step).tokens == 4 * whole.length());
  }
}

TEST_CASE("validation goes through its examples once and steps follow from epochs") {
  auto train = examples({9, 9, 9}), validation = examples({4, 6, 8, 10, 12});
  Source source(train, validation, {.max_length = 12, .sequences = 2, .packing = false});
  engine::LmBatch batch;
  int64_t targets = 0, rows = 0;
  for (int64_t i = 0; i < source.validation_batches(); ++i) {
    source.validation_batch(i, batch);
    rows += batch.sequences;
    targets += std::count_if(batch.targets.begin(), batch.targets.end(), [](int32_t t) { return t >= 0; });
  }
  CHECK(rows == 5);
  CHECK(targets == 2 + 3 + 4 + 5 + 6);
  CHECK(source.steps(1) == 2);
  CHECK(source.steps(2) == 3);
  CHECK(source.steps(0) == 1);
}

TEST_CASE("the fingerprint sees tokens and masks") {
  auto a = examples({4, 6}), b = examples({4, 6}), none = examples({});
  SourceOptions options{.max_length = 8};
  uint64_t hash = Source(a, none, options).fingerprint();
  CHECK(Source(b, none, options).fingerprint() == hash);
  b[1].trained[2] = true;
  CHECK(Source(b, none, options).fingerprint() != hash);
  CHECK(Source(none, a, options).fingerprint() != hash);
}
