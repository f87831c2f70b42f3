#include "decode/sampler.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/rng.h"

using namespace llmkit::decode;

namespace {

std::vector<float> logits_of(const std::vector<double>& p) {
  std::vector<float> z;
  for (double x : p) z.push_back(static_cast<float>(std::log(x)));
  return z;
}

// The probabilities by token id after one step; removed tokens have 0.
std::vector<double> after(const std::string& spec, const std::vector<float>& logits, History history = {}) {
  Candidates c(logits);
  samplers().make(spec)->apply(c, history);
  std::vector<double> by_id(logits.size(), 0.0), p = c.probabilities();
  for (size_t i = 0; i < c.size(); ++i) by_id[static_cast<size_t>(c.items()[i].id)] = p[i];
  return by_id;
}

void check_near(const std::vector<double>& got, const std::vector<double>& want) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(want[i]).epsilon(1e-6));
}

const std::vector<double> kHalving = {.5, .25, .125, .0625, .0625};

}  // namespace

TEST_CASE("temperature sharpens and flattens to the exact probabilities") {
  check_near(after("temperature:t=0.5", logits_of(kHalving)), {.74418605, .18604651, .04651163, .01162791, .01162791});
  check_near(after("temperature:t=2", logits_of(kHalving)), {.34314575, .24264069, .17157288, .12132034, .12132034});
}

TEST_CASE("greedy keeps the smallest id among equals") {
  check_near(after("greedy", {1.f, 3.f, 3.f, 2.f}), {0, 1, 0, 0});
}

TEST_CASE("top-k keeps k tokens and renormalises") {
  check_near(after("top-k:k=2", logits_of(kHalving)), {2. / 3, 1. / 3, 0, 0, 0});
}

TEST_CASE("top-p keeps the token that crosses the threshold") {
  check_near(after("top-p:p=0.6", logits_of(kHalving)), {2. / 3, 1. / 3, 0, 0, 0});
  check_near(after("top-p:p=0.49", logits_of(kHalving)), {1, 0, 0, 0, 0});
}

TEST_CASE("top-p over a large flat vocabulary keeps p of it") {
  std::vector<float> flat(10000, 0.f);
  Candidates c(flat);
  samplers().make("top-p:p=0.25")->apply(c, {});
  CHECK(c.size() >= 2500);
  CHECK(c.size() <= 2501);
  CHECK(c.items().front().id == 0);
  CHECK(c.items().back().id == static_cast<int32_t>(c.size()) - 1);
}

TEST_CASE("min-p compares with the best token") {
  check_near(after("min-p:p=0.3", logits_of(kHalving)), {2. / 3, 1. / 3, 0, 0, 0});
}

TEST_CASE("typical prefers the token whose surprise is nearest the entropy") {
  check_near(after("typical:p=0.2", logits_of(kHalving)), {0, 1, 0, 0, 0});
}

TEST_CASE("repetition penalty divides positive and multiplies negative logits of seen tokens") {
  std::vector<float> z = {2.f, -1.f, 0.5f};
  std::vector<int32_t> prompt = {0}, generated = {1};
  Candidates c(z);
  samplers().make("repetition-penalty:p=2")->apply(c, {prompt, generated});
  CHECK(c.items()[0].logit == 1.f);
  CHECK(c.items()[1].logit == -2.f);
  CHECK(c.items()[2].logit == 0.5f);
}

TEST_CASE("the order of steps matters: temperature before top-p leaves one token, after it two") {
  std::vector<float> z = {3.f, 2.f, 1.f};
  auto left = [&](std::vector<std::string> specs) {
    std::vector<Step> steps;
    Chain(specs).draw(z, {}, 0.5, &steps);
    return steps.back().left;
  };
  CHECK(left({"top-p:p=0.8", "temperature:t=0.5"}) == 2);
  CHECK(left({"temperature:t=0.5", "top-p:p=0.8"}) == 1);
}

TEST_CASE("draws follow the distribution: chi-square with 4 degrees of freedom below its 0.999 quantile") {
  Chain chain(std::vector<std::string>{});
  std::vector<float> z = logits_of(kHalving);
  std::vector<int> seen(5, 0);
  const int n = 100000;
  llmkit::Rng rng{7, 1};
  for (int i = 0; i < n; ++i) ++seen[static_cast<size_t>(chain.draw(z, {}, rng.uniform()))];
  double chi2 = 0;
  for (size_t i = 0; i < 5; ++i) chi2 += std::pow(seen[i] - n * kHalving[i], 2) / (n * kHalving[i]);
  CHECK(chi2 < 18.467);
}

TEST_CASE("every sampler leaves at least one token and a normalised distribution, and repeats itself") {
  llmkit::Rng rng{3};
  std::vector<float> z(257);
  for (auto& x : z) x = static_cast<float>(rng.normal() * 4);
  std::vector<int32_t> seen = {1, 2, 3};
  for (auto& entry : samplers().entries()) {
    CAPTURE(entry.name);
    auto p = after(std::string(entry.name), z, {seen, {}});
    double sum = 0;
    for (double x : p) sum += x;
    CHECK(sum == doctest::Approx(1.0));
    CHECK(p == after(std::string(entry.name), z, {seen, {}}));
  }
}

TEST_CASE("an unknown sampler suggests the nearest") {
  CHECK_THROWS_WITH(samplers().make("top_p"), doctest::Contains("top-p"));
  CHECK_THROWS_AS(samplers().make("top-k:k=0"), llmkit::UsageError);
}

TEST_CASE("temperature zero is greedy") {
  SamplingOptions options;
  options.temperature = 0;
  options.top_k = 40;
  CHECK(sampling_specs(options) == std::vector<std::string>{"greedy"});
}
