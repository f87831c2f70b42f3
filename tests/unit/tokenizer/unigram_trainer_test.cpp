#include "tokenizer/unigram_trainer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/rng.h"
#include "stage.h"
#include "tokenizer/sentence_words.h"
#include "tokenizer/unicode_class.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

// Sentences of words that are made of a few syllables.
std::string sentences(uint64_t seed, int lines) {
  static constexpr std::string_view syllables[] = {"é",  "ê",  "ka",   "lo", "mi", "tu", "ren",
                                                   "sa", "po", "ding", "字", "1",  "X"};
  Rng rng({seed});
  std::string text;
  for (int i = 0; i < lines; ++i) {
    for (uint64_t w = 2 + rng.below(8); w > 0; --w) {
      text += ' ';
      for (uint64_t n = 1 + rng.below(5); n > 0; --n)
        text += syllables[std::min(rng.below(std::size(syllables)), rng.below(std::size(syllables)))];
    }
    text += '\n';
  }
  return text;
}

std::map<std::string, uint64_t> pieces_of(std::string_view text) {
  SentenceWords words;
  std::vector<size_t> ends(3);
  std::map<std::string, uint64_t> out;
  for (size_t from = 0; size_t n = words.split(text, from, ends);)
    for (size_t i = 0; i < n; ++i) {
      ++out[std::string(text.substr(from, ends[i] - from))];
      from = ends[i];
    }
  return out;
}

// Within `memory` bytes, if it is not 0: counted line by line, so that words go to disk in many runs.
UnigramTraining train(Stage& s, std::string_view text, const UnigramOptions& options, uint64_t memory = 0) {
  SentenceWords words;
  WordCounter counter(words, memory / 3);
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    std::string_view line = text.substr(at, end - at);
    counter.add(std::span(&line, 1));
    counter.make_room();
    at = end;
  }
  s.context.memory_bytes = memory;
  return train_unigram(s.context, counter, options);
}

}  // namespace

TEST_CASE("words know whether they end their line") {
  CHECK(pieces_of("a  b\n c \n\nd") ==
        std::map<std::string, uint64_t>{{"a", 1}, {"  b\n", 1}, {" c \n", 1}, {"\n", 1}, {"d", 1}});
  CHECK(pieces_of("") == std::map<std::string, uint64_t>{});
}

TEST_CASE("seeds are the substrings with two right neighbours, by occurrences times length") {
  std::string text = sentences(3, 60);
  Stage s;
  SentenceWords words;
  WordCounter counter(words);
  std::string_view view = text;
  counter.add(std::span(&view, 1));
  auto counted = counter.words();
  UnigramCorpus corpus = code_words(counted, 1);
  // By counting all substrings of all lines, with "#" for the line's end. Scripts: Latin, Han and digits (common).
  std::map<std::u32string, uint64_t> counts;
  std::map<std::u32string, std::set<char32_t>> next;
  std::u32string line;
  auto finish_line = [&] {
    line += U'#';
    for (size_t i = 0; i + 1 < line.size(); ++i)
      for (size_t n = 1; n <= 16 && i + n < line.size(); ++n) {
        ++counts[line.substr(i, n)];
        next[line.substr(i, n)].insert(line[i + n]);
      }
    line.clear();
  };
  for (size_t i = 0; i < text.size();) {
    Utf8Char c = decode_utf8(text.data() + i, text.data() + text.size());
    if (c.code_point == '\n')
      finish_line();
    else
      line += c.code_point == ' ' ? U'▁' : static_cast<char32_t>(c.code_point);
    i += c.length;
  }
  auto script = [](char32_t c) { return c == U'字' ? 2 : c == U'1' ? 3 : 1; };
  auto first_byte = [](char32_t c) { return c < 0x80 ? c : c < 0x800 ? 0xC0 | c >> 6 : 0xE0 | c >> 12; };
  std::map<std::string, uint64_t> expected, expected_of_bytes;
  for (auto& [substring, count] : counts) {
    if (substring.size() < 2 || next[substring].size() < 2) continue;
    std::set<char32_t> bytes;
    for (char32_t c : next[substring]) bytes.insert(first_byte(c));
    bool valid = true;
    for (size_t i = 0; i < substring.size(); ++i) {
      if (substring[i] == U'▁') valid &= i == 0;
      if (i > 0 && substring[i - 1] != U'▁') valid &= script(substring[i]) == script(substring[i - 1]);
    }
    if (!valid) continue;
    std::string utf8;
    for (char32_t c : substring)
      utf8 += c == U'▁'    ? "▁"
              : c == U'é'  ? "é"
              : c == U'ê'  ? "ê"
              : c == U'字' ? "字"
                           : std::string(1, static_cast<char>(c));
    expected[utf8] = count * substring.size();
    if (bytes.size() > 1) expected_of_bytes[utf8] = count * substring.size();
  }
  CHECK(expected.size() > 100);
  CHECK(expected_of_bytes.size() < expected.size());
  for (bool of_bytes : {false, true}) {
    UnigramSeedOptions options;
    options.of_bytes = of_bytes;
    std::map<std::string, uint64_t> got;
    for (auto& seed : find_seeds(s.context, corpus, options))
      if (seed.size > 1) got[corpus.spell({corpus.text.data() + seed.begin, seed.size})] = seed.score;
    CHECK(got == (of_bytes ? expected_of_bytes : expected));
  }
}

TEST_CASE("a Unigram vocabulary is the same for one and eight threads") {
  std::string text = sentences(1, 20'000);
  UnigramOptions options;
  options.vocab_size = 400;
  options.pieces = 397;
  UnigramTraining serial;
  {
    Stage one(1);
    serial = train(one, text, options);
  }
  CHECK(serial.pieces.size() == 397);
  CHECK(serial.distinct_words > 12'000);
  Stage eight(8);
  for (int round = 0; round < 20; ++round) {
    UnigramTraining training = train(eight, text, options);
    CHECK(training.pieces == serial.pieces);
    CHECK(training.scores == serial.scores);
    CHECK(training.log_likelihood == serial.log_likelihood);
    if (eight.parallel.stats().workers >= 2 && eight.parallel.stats().least_tiles >= 3) break;
  }
  CHECK(eight.parallel.stats().workers >= 2);
  CHECK(eight.parallel.stats().least_tiles >= 3);
}

TEST_CASE("no Unigram piece is less likely than its own parts") {
  Stage s(2);
  int longer = 0;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    UnigramOptions options;
    options.vocab_size = 60 + 20 * static_cast<int64_t>(seed);
    options.pieces = options.vocab_size - 3;
    UnigramTraining training = train(s, sentences(seed, 120), options);
    std::map<std::string, float> scores;
    for (size_t i = 0; i < training.pieces.size(); ++i) scores[training.pieces[i]] = training.scores[i];
    for (auto& [piece, score] : scores) {
      std::vector<float> best(piece.size() + 1, -1e30f);
      best[0] = 0;
      for (size_t i = 0; i < piece.size(); ++i)
        for (size_t j = i + 1; j <= piece.size(); ++j) {
          auto part = scores.find(piece.substr(i, j - i));
          if (j - i < piece.size() && part != scores.end()) best[j] = std::max(best[j], best[i] + part->second);
        }
      longer += best.back() > -1e30f;
      CHECK(best.back() <= score);
    }
  }
  CHECK(longer > 1000);
}

TEST_CASE("a word of thousands of characters does not underflow, and too small a vocabulary is refused") {
  Stage s;
  SentenceWords words;
  std::string longest;
  Rng rng({5});
  for (int i = 0; i < 20'000; ++i) longest += static_cast<char>('a' + rng.below(26));
  auto train = [&](const UnigramOptions& options) {
    WordCounter counter(words);
    counter.add_word(" " + longest, 3);
    counter.add_word(" abc", 2);
    return train_unigram(s.context, counter, options);
  };
  UnigramOptions options;
  options.vocab_size = 60;
  options.pieces = 57;
  UnigramTraining training = train(options);
  CHECK(training.pieces.size() == 57);
  CHECK(std::isfinite(training.log_likelihood));
  for (float score : training.scores) CHECK(std::isfinite(score));
  options.pieces = 20;
  CHECK_THROWS_WITH_AS(train(options), doctest::Contains("--vocab-size"), UsageError);
}

TEST_CASE("Unigram within a small memory gives the pieces and scores of training without bound") {
  std::string text = sentences(7, 4000) +
                     " \xE2\x96\x81"
                     "ka lo\xE2\x96\x81mi sa\xE2\x96\x81 a\tb\t\n\n x";
  for (int i = 0; i < 40; ++i)
    text += " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" + std::to_string(i % 7) + (i % 3 ? "" : "\n");
  UnigramOptions options;
  options.vocab_size = 300;
  options.pieces = 297;
  options.seeds.most = 2500;  // fewer than there are: the best ones must be the same
  for (bool of_bytes : {true, false}) {
    CAPTURE(of_bytes);
    options.tabs = options.seeds.of_bytes = of_bytes;
    options.character_coverage = of_bytes ? 0.9995 : 0.97;
    Stage unbounded(2);
    UnigramTraining expected = train(unbounded, text, options);
    CHECK(expected.file_bytes == 0);
    CHECK(expected.seeds > 2500);
    CHECK(expected.rounds > 1);
    for (uint64_t memory : {30'000, 300'000, 3'000'000})
      for (int threads : {1, 2, 8}) {
        CAPTURE(memory);
        CAPTURE(threads);
        Stage bounded(threads);
        UnigramTraining got = train(bounded, text, options, memory);
        CHECK(got.file_bytes > 0);
        CHECK(got.seeds == expected.seeds);
        CHECK(got.rounds == expected.rounds);
        CHECK(got.distinct_pieces == expected.distinct_pieces);
        CHECK(got.distinct_words == expected.distinct_words);
        CHECK(got.pieces == expected.pieces);
        CHECK(got.scores == expected.scores);
        for (int round = 0; threads == 8 && bounded.parallel.stats().least_tiles < 3 && round < 20; ++round)
          CHECK(train(bounded, text, options, memory).scores == expected.scores);
        if (threads == 8) CHECK(bounded.parallel.stats().workers >= 2);
        if (threads == 8) CHECK(bounded.parallel.stats().least_tiles >= 3);
      }
  }
}
