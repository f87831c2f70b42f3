#include "tokenizer/compare.h"

#include <doctest/doctest.h>

using namespace llmkit;
using namespace llmkit::tokenizer;

TEST_CASE("Renyi efficiency is 1 for equal frequencies and follows its formula") {
  CHECK(renyi_efficiency(std::vector<int64_t>{5, 5, 5, 5}, 4, 2.5) == doctest::Approx(1));
  CHECK(renyi_efficiency(std::vector<int64_t>{5, 5, 5, 5}, 4, 1) == doctest::Approx(1));
  // -log2(0.75^2 + 0.25^2), and the entropy in bits, of a vocabulary of two
  CHECK(renyi_efficiency(std::vector<int64_t>{3, 1}, 2, 2) == doctest::Approx(0.678071905));
  CHECK(renyi_efficiency(std::vector<int64_t>{3, 1}, 2, 1) == doctest::Approx(0.811278124));
  CHECK(renyi_efficiency(std::vector<int64_t>{3, 1}, 4, 2) == doctest::Approx(0.678071905 / 2));
  CHECK(renyi_efficiency({}, 4, 2) == 0);
}

TEST_CASE("a fit counts by language, and is the same for any number of threads") {
  Tokenizer tokenizer = Tokenizer::load("byte");
  std::vector<Sample> samples{{"two words", "en"}, {"中文", "zh"}, {"one", "en"}};
  Parallel one(1);
  Fit fit = measure_fit(one, tokenizer, samples);
  CHECK(fit.coverage.tokens == 18);
  CHECK(fit.vocabulary == 257);
  CHECK(fit.lossy_documents == 0);
  REQUIRE(fit.languages.size() == 2);
  CHECK(fit.languages[0].language == "en");
  CHECK(fit.languages[0].words == 3);
  CHECK(fit.languages[0].tokens_per_word() == doctest::Approx(4));
  CHECK(fit.languages[1].tokens_per_character() == doctest::Approx(3));
  CHECK(fit.renyi > 0);
  CHECK(fit.renyi < fit.shannon);

  std::vector<Sample> many;
  for (int i = 0; i < 500; ++i) many.push_back({"text number " + std::to_string(i), "en"});
  Parallel four(4);
  CHECK(measure_fit(one, tokenizer, many).renyi == measure_fit(four, tokenizer, many).renyi);
}
