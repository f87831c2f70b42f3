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
  CHECK(fit.languages[1].words == 2);
  CHECK(fit.languages[1].tokens_per_character() == doctest::Approx(3));
  CHECK(fit.renyi > 0);
  CHECK(fit.renyi < fit.shannon);

  std::vector<Sample> many;
  for (int i = 0; i < 500; ++i) many.push_back({"text number " + std::to_string(i), "en"});
  Parallel four(4);
  CHECK(measure_fit(one, tokenizer, many).renyi == measure_fit(four, tokenizer, many).renyi);
}

TEST_CASE("words, characters and bytes of a text") {
  TextSizes sizes = sizes_of("two words, 中文かな\tand\xFF\n");
  CHECK(sizes.words == 7);
  CHECK(sizes.characters == 21);
  CHECK(sizes.bytes == 29);
}

TEST_CASE("coverage shares tokens among their characters and tells what is unknown apart") {
  TokenizerParts parts;
  parts.model = ModelKind::wordpiece;
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.word_prefix = "##";
  parts.pretokenizer = "bert";
  parts.tokens = {"[UNK]", "play", "##ing", "中"};
  parts.unk = "[UNK]";
  Tokenizer tokenizer(std::move(parts));
  std::string_view text = "playing 中 文 play";
  Parallel one(1);
  Coverage coverage = measure_coverage(one, tokenizer, {&text, 1});
  CHECK(coverage.tokens == 5);
  CHECK(coverage.tokens_used == 4);
  CHECK(coverage.words == 4);
  REQUIRE(coverage.scripts.size() == 3);
  CHECK(coverage.scripts[0].name == "Han");  // half of it is unknown
  CHECK(coverage.scripts[0].characters == 2);
  CHECK(coverage.scripts[0].unknown == 1);
  CHECK(coverage.scripts[0].tokens == doctest::Approx(2));
  CHECK(coverage.scripts[1].name == "Latin");
  CHECK(coverage.scripts[1].unknown == 0);
  CHECK(coverage.scripts[1].tokens == doctest::Approx(3));
  CHECK(coverage.scripts[2].name == "white space");
  CHECK(coverage.scripts[2].tokens == 0);
}
