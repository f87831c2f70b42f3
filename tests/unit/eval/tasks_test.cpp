#include <doctest/doctest.h>

#include "eval/runner.h"
#include "formats/json.h"

using namespace llmkit;
using namespace llmkit::eval;

namespace {

Item item(std::string_view json) {
  return {"test:1", formats::parse_json(json, "test")};
}
std::unique_ptr<Task> task(std::string_view name) {
  return tasks().make(name);
}

std::vector<Response> with_logprobs(std::vector<double> values) {
  std::vector<Response> out;
  for (double v : values) out.push_back({v, 1, false, ""});
  return out;
}

}  // namespace

TEST_CASE("ARC asks 'Question: … Answer:' and scores the choices after one space") {
  auto requests = task("arc-easy")->requests(item(R"({"query": "Why?", "choices": ["a", "b"], "gold": 1})"));
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].context == "Question: Why?\nAnswer:");
  CHECK(requests[1].continuation == " b");
}

TEST_CASE("HellaSwag's text is cleaned as the harness does") {
  auto requests =
      task("hellaswag")
          ->requests(
              item(R"({"ctx": "Cooking: [header] Cut it [title] Now  go", "endings": ["[step] x", "y"], "label": 0})"));
  CHECK(requests[0].context == "Cooking: Cut it. Now go");
  CHECK(requests[0].continuation == "  x");
}

TEST_CASE("BLiMP counts strict preference for the good sentence") {
  auto blimp = task("blimp");
  auto pair = item(R"({"sentence_good": "a", "sentence_bad": "b"})");
  CHECK(blimp->requests(pair)[1].continuation == "b");
  CHECK(blimp->score(pair, with_logprobs({-1, -2}))[0].value == 1);
  CHECK(blimp->score(pair, with_logprobs({-1, -1}))[0].value == 0);
}

TEST_CASE("CMMLU asks for a letter without a space before it") {
  auto requests = task("cmmlu")->requests(
      item(R"({"subject": "law", "Question": "q", "A": "1", "B": "2", "C": "3", "D": "4", "Answer": "C"})"));
  CHECK(requests[2].continuation == "C");
  CHECK(requests[0].context.ends_with("q\nA. 1\nB. 2\nC. 3\nD. 4\n答案："));
}

TEST_CASE("WinoGrande scores one continuation after two contexts and has no acc_norm") {
  auto t = task("winogrande");
  auto i = item(R"({"context_options": ["x so x", "x so y"], "continuation": "won.", "gold": 1})");
  CHECK(t->requests(i)[0].context == "x so x");
  CHECK(t->requests(i)[1].continuation == " won.");
  auto scores = t->score(i, with_logprobs({-2, -1}));
  REQUIRE(scores.size() == 1);
  CHECK(scores[0].value == 1);
}

TEST_CASE("exact match compares trimmed text with any accepted answer") {
  auto t = task("exact-match");
  auto i = item(R"({"context": "2+2=", "answer": ["4", "four"]})");
  CHECK(t->score(i, {{0, 1, false, " four\n"}})[0].value == 1);
  CHECK(t->score(i, {{0, 1, false, "5"}})[0].value == 0);
}

TEST_CASE("bits per byte weighs documents by their bytes") {
  auto scores = task("perplexity")->score(item(R"({"text": "é!"})"), {{-0.6931471805599453 * 3, 2, false, ""}});
  CHECK(scores[0].metric == "bits_per_byte");
  CHECK(scores[0].value == doctest::Approx(1.0));
  CHECK(scores[0].weight == 3);
}

TEST_CASE("an item that does not fit names its place and the field") {
  CHECK_THROWS_WITH(task("copa")->requests(item(R"({"query": "q", "gold": 0})")), doctest::Contains("choices"));
  CHECK_THROWS_WITH(task("copa")->requests(item(R"({"query": "q", "choices": ["a", "b"], "gold": 2})")),
                    doctest::Contains("test:1"));
}

TEST_CASE("unknown tasks and tasks without data are usage errors") {
  EvalOptions options;
  options.specs = {"arc_esy"};
  CHECK_THROWS_WITH(resolve_tasks(options), doctest::Contains("arc-easy"));
  options.specs = {"arc-easy"};
  CHECK_THROWS_AS(resolve_tasks(options), UsageError);
}
