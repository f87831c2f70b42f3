#include "eval/encode.h"

#include <doctest/doctest.h>

#include <numeric>

using namespace llmkit;
using eval::encode_pair;
using eval::rolling_windows;

namespace {

std::vector<int32_t> range(int32_t from, int32_t to) {
  std::vector<int32_t> out(static_cast<size_t>(to - from));
  std::iota(out.begin(), out.end(), from);
  return out;
}

void check_window(const engine::ScoreJob& job, std::vector<int32_t> read, const std::vector<int32_t>& predicted) {
  CHECK(std::vector<int32_t>(job.tokens.begin(), job.tokens.end() - 1) == read);
  CHECK(std::vector<int32_t>(job.tokens.begin() + static_cast<ptrdiff_t>(job.from), job.tokens.end()) == predicted);
}

}  // namespace

// lm-evaluation-harness 0.4, tests/test_utils.py: 34 tokens, windows of 10, prefix -100.
TEST_CASE("rolling windows equal the harness's") {
  auto jobs = rolling_windows(range(0, 34), -100, 10);
  REQUIRE(jobs.size() == 4);
  auto first = range(0, 9);
  first.insert(first.begin(), -100);
  check_window(jobs[0], first, range(0, 10));
  check_window(jobs[1], range(9, 19), range(10, 20));
  check_window(jobs[2], range(19, 29), range(20, 30));
  check_window(jobs[3], range(23, 33), range(30, 34));
}

TEST_CASE("every token is predicted exactly once for any length") {
  for (int32_t n = 0; n < 60; ++n) {
    CAPTURE(n);
    std::vector<int32_t> predicted;
    for (auto& job : rolling_windows(range(0, n), -1, 7)) {
      CHECK(job.from >= 1);
      CHECK(job.tokens.size() <= 8);
      predicted.insert(predicted.end(), job.tokens.begin() + static_cast<ptrdiff_t>(job.from), job.tokens.end());
    }
    CHECK(predicted == range(0, n));
  }
}

TEST_CASE("a pair is encoded as one text; spaces at the end of the context belong to the continuation") {
  auto bytes = tokenizer::Tokenizer::load("byte");
  auto job = encode_pair(bytes, "ab ", "cd", 256, 100);
  CHECK(job.tokens == std::vector<int32_t>{'a', 'b', ' ', 'c', 'd'});
  CHECK(job.from == 2);
}

TEST_CASE("an empty context is the separator token") {
  auto bytes = tokenizer::Tokenizer::load("byte");
  auto job = encode_pair(bytes, "", "xy", 256, 100);
  CHECK(job.tokens == std::vector<int32_t>{256, 'x', 'y'});
  CHECK(job.from == 1);
}

TEST_CASE("what is too long loses its beginning") {
  auto bytes = tokenizer::Tokenizer::load("byte");
  auto job = encode_pair(bytes, "abcdef", "gh", 256, 4);
  CHECK(job.tokens == std::vector<int32_t>{'d', 'e', 'f', 'g', 'h'});
  CHECK(job.from == 3);
  job = encode_pair(bytes, "ab", "cdefgh", 256, 4);
  CHECK(job.tokens == std::vector<int32_t>{'d', 'e', 'f', 'g', 'h'});
  CHECK(job.from == 1);
}
