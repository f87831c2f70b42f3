#include "tokenizer/character_trainer.h"

#include <doctest/doctest.h>

#include "base/rng.h"
#include "stage.h"
#include "tokenizer/merge_limits.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

using Words = std::vector<std::pair<std::string, uint64_t>>;

BpeTraining learn(const Words& words, const CharacterTrainerOptions& options) {
  Stage s;
  auto pre = pretokenizers().make("none");
  WordCounter counter(*pre);
  for (auto& [word, count] : words) counter.add_word(word, count);
  return train_characters_bpe(
      s.context, counter, [](std::string_view piece) { return std::string(piece); }, options);
}

std::vector<std::string> tail(const std::vector<std::string>& tokens, size_t from) {
  return {tokens.begin() + static_cast<std::ptrdiff_t>(from), tokens.end()};
}

// The example of Hugging Face's course, chapter 6.6.
const Words kCourse{{"hug", 10}, {"pug", 5}, {"pun", 12}, {"bun", 4}, {"hugs", 5}};

}  // namespace

TEST_CASE("WordPiece by frequency merges the most frequent pair, continued pieces marked") {
  CharacterTrainerOptions options;
  options.word_prefix = "##";
  options.merges.vocab_size = 4 + 4 + 4 + 3;
  auto training = learn(kCourse, options);
  CHECK(training.parts.tokens == std::vector<std::string>{"b", "g", "h", "n", "p", "s", "u", "##g", "##n", "##s", "##u",
                                                          "##ug", "##un", "hug", "pun"});
  CHECK(training.merge_counts == std::vector<uint64_t>{20, 16, 15, 12});
}

TEST_CASE("WordPiece by likelihood merges what stands together more than its parts would by chance") {
  CharacterTrainerOptions options;
  options.word_prefix = "##";
  options.score = MergeScore::likelihood;
  options.merges.vocab_size = 11 + 3;
  auto training = learn(kCourse, options);
  // ##gs: 5 / (20 * 5); then all pairs with ##u score 1 / 36 and the most frequent is p ##u, 17; then pu ##n, 12 / (17
  // * 16).
  CHECK(tail(training.parts.tokens, 11) == std::vector<std::string>{"##gs", "pu", "hu"});
}

TEST_CASE("characters beyond the coverage are unknown and part a word; bytes can stand for them") {
  CharacterTrainerOptions options;
  options.merges.vocab_size = 1000;
  options.special_tokens = {"<unk>"};
  options.character_coverage = 0.99;
  options.byte_fallback = true;
  auto training = learn({{"abab", 1000},
                         {"a\xE4\xB8\xAD"
                          "b",
                          3}},
                        options);
  CHECK(training.parts.tokens[1] == "<0x00>");
  CHECK(training.parts.tokens[256] == "<0xFF>");
  CHECK(tail(training.parts.tokens, 257) == std::vector<std::string>{"a", "b", "ab", "abab"});
  CHECK(training.merge_counts[0] == 2000);  // not also the a and b around the unknown one
}

TEST_CASE("tokens of two scripts, or of digits and others, may be kept apart") {
  CHECK(allowed_by({}, "a1\xD0\xB1"));
  CHECK_FALSE(allowed_by({.scripts = true}, "a\xD0\xB1"));
  CHECK(allowed_by({.scripts = true}, " a1-"));
  CHECK_FALSE(allowed_by({.digits = true}, "a1"));
  CHECK(allowed_by({.digits = true}, " 12"));
  CHECK(allowed_by({.digits = true}, "##12"));
  CHECK(allowed_by({.scripts = true, .digits = true}, "\xB1"));  // part of a character
}

TEST_CASE("a tokenizer can be extended: what it had stays, and new merges follow") {
  Stage s;
  auto pre = pretokenizers().make("llama3");
  auto count = [&](WordCounter& counter, std::string_view text) { counter.add(std::span(&text, 1)); };
  BpeTrainerOptions options;
  options.vocab_size = 262;
  options.special_tokens = {"<|end|>"};
  WordCounter first(*pre), second(*pre);
  std::string old_text, new_text;
  for (int i = 0; i < 50; ++i) {
    old_text += " the cat and the hat";
    new_text += " the zebra and the zebu";
  }
  count(first, old_text);
  count(second, new_text);
  TokenizerParts base = train_bbpe(s.context, first, options).parts;
  CHECK(base.tokens.size() == 262);
  options.extend = &base;
  options.special_tokens = {};
  options.vocab_size = 268;
  BpeTraining extended = train_bbpe(s.context, second, options);
  CHECK(extended.parts.tokens.size() == 268);
  CHECK(std::equal(base.tokens.begin(), base.tokens.end(), extended.parts.tokens.begin()));
  CHECK(std::equal(base.merges.begin(), base.merges.end(), extended.parts.merges.begin()));
  CHECK(extended.merge_counts.size() == extended.parts.merges.size());
  std::string all;
  for (auto& token : tail(extended.parts.tokens, 262)) all += token + "|";
  CHECK(all.find("zeb") != std::string::npos);
  Tokenizer before(base), after(extended.parts);
  CHECK(after.encode(new_text).size() < before.encode(new_text).size());
  CHECK(after.decode(after.encode(new_text)) == new_text);
}

TEST_CASE("character BPE and WordPiece within a small memory give what they give without bound") {
  Rng rng({77});
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += ' ';
    for (uint64_t n = 1 + rng.below(7); n > 0; --n) {
      uint64_t letter = std::min(rng.below(28), rng.below(28));
      text += letter < 26 ? std::string(1, static_cast<char>('a' + letter)) : std::string(letter == 26 ? "é" : "中");
    }
  }
  auto pre = pretokenizers().make("gpt2");
  auto strip = [](std::string_view piece) { return std::string(piece.substr(piece.starts_with(' '))); };
  for (bool wordpiece : {false, true}) {
    CAPTURE(wordpiece);
    CharacterTrainerOptions options;
    options.word_prefix = wordpiece ? "##" : "";
    options.character_coverage = 0.99;  // what is unknown parts words
    options.merges.vocab_size = 300;
    Stage s;
    WordCounter in_memory(*pre), bounded(*pre, 100'000);
    in_memory.add(s.parallel, text);
    auto expected = train_characters_bpe(s.context, in_memory, strip, options);
    CHECK(expected.external.bands == 0);
    CHECK(expected.parts.merges.size() > 200);
    for (size_t at = 0; at < text.size();) {  // many runs
      size_t end = std::min(text.find(' ', std::min(at + 20'000, text.size())), text.size());
      bounded.add(s.parallel, std::string_view(text).substr(at, end - at));
      bounded.make_room();
      at = end;
    }
    CHECK(bounded.spilled());
    s.context.memory_bytes = wordpiece ? 400'000 : 60'000;
    auto got = train_characters_bpe(s.context, bounded, strip, options);
    if (wordpiece) CHECK(got.external.passes > 1);
    if (!wordpiece) CHECK(got.external.bands > 1);  // not even the symbols of all words fit
    CHECK(got.parts.tokens == expected.parts.tokens);
    CHECK(got.parts.merges == expected.parts.merges);
    CHECK(got.merge_counts == expected.merge_counts);
    CHECK(got.distinct_words == expected.distinct_words);
  }
}
