#include "eval/metrics.h"

#include <doctest/doctest.h>

#include <cmath>

#include "eval/runner.h"
#include "eval/tasks/csv.h"

using namespace llmkit;
using namespace llmkit::eval;

TEST_CASE("a mean and its standard error: 3 right of 4") {
  Metric m = aggregate({{"acc", 1}, {"acc", 0}, {"acc", 1}, {"acc", 1}}, false);
  CHECK(m.value == 0.75);
  CHECK(m.standard_error == doctest::Approx(0.25));  // sqrt(0.25/4), sample variance 0.25
  CHECK(m.items == 4);
}

TEST_CASE("one item has no standard error") {
  CHECK(aggregate({{"acc", 1}}, false).standard_error == 0);
}

TEST_CASE("weights: bits per byte over documents of different length is the ratio of the sums") {
  Metric m = aggregate({{"bpb", 2.0, 100}, {"bpb", 1.0, 300}}, false);
  CHECK(m.value == doctest::Approx((2.0 * 100 + 1.0 * 300) / 400));
  CHECK(m.standard_error ==
        doctest::Approx(std::sqrt(2.0 * (100 * 100 * 0.75 * 0.75 + 300 * 300 * 0.25 * 0.25)) / 400));
}

TEST_CASE("perplexity is the exponential of the mean, its error by the delta method") {
  Metric m = aggregate({{"perplexity", 1.0}, {"perplexity", 3.0}}, true);
  CHECK(m.value == doctest::Approx(std::exp(2.0)));
  CHECK(m.standard_error == doctest::Approx(std::exp(2.0) * 1.0));
}

TEST_CASE("acc takes the largest log-likelihood, acc_norm the largest per character") {
  // Characters, not bytes: the second choice has 2 characters in 6 bytes.
  std::vector<Response> r(2);
  r[0].logprob = -6;
  r[1].logprob = -7;
  auto s = score_choices(r, {"abc", "你好"}, 0);
  CHECK(s[0].value == 1);
  CHECK(s[1].value == 1);  // -2 against -3.5
  r[1].logprob = -3.9;
  CHECK(score_choices(r, {"abc", "你好"}, 0)[1].value == 0);  // -2 against -1.95
}

TEST_CASE("a list of tasks is cut at commas that do not belong to a parameter") {
  CHECK(split_tasks({"hellaswag:file=a.jsonl,name=x,arc-easy", "blimp"}) ==
        std::vector<std::string>{"hellaswag:file=a.jsonl,name=x", "arc-easy", "blimp"});
}

TEST_CASE("CSV: quotes, doubled quotes, line ends and commas in fields, a byte order mark") {
  auto rows = parse_csv("\xEF\xBB\xBF,Question,A\r\n0,\"a, \"\"b\"\"\nc\",x\r\n", "t.csv");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == std::vector<std::string>{"", "Question", "A"});
  CHECK(rows[1] == std::vector<std::string>{"0", "a, \"b\"\nc", "x"});
  CHECK_THROWS_WITH(parse_csv("a\n\"b", "t.csv"), doctest::Contains("t.csv, row 2"));
}
