#include "tokenizer/unigram_trainer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/rng.h"
#include "tokenizer/sentence_words.h"
#include "tokenizer/unicode_class.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

struct NoProgress : ProgressSink {
  void update(double, double, std::string_view, std::string_view) override {}
};

struct Setup {
  explicit Setup(int threads = 1) : parallel(threads), context{parallel, stop, progress} {}
  Parallel parallel;
  StopFlag stop;
  NoProgress progress;
  Context context;
};

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

}  // namespace

TEST_CASE("words know whether they end their line") {
  CHECK(pieces_of("a  b\n c \n\nd") ==
        std::map<std::string, uint64_t>{{"a", 1}, {"  b\n", 1}, {" c \n", 1}, {"\n", 1}, {"d", 1}});
  CHECK(pieces_of("") == std::map<std::string, uint64_t>{});
}

TEST_CASE("seeds are the substrings with two right neighbours, by occurrences times length") {
  std::string text = sentences(3, 60);
  Setup s;
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
  SentenceWords words;
  WordCounter counter(words);
  std::string_view view = text;
  counter.add(std::span(&view, 1));
  auto counted = counter.words();
  UnigramOptions options;
  options.vocab_size = 400;
  options.pieces = 397;
  UnigramTraining serial;
  {
    Setup one(1);
    serial = train_unigram(one.context, counted, options);
  }
  CHECK(serial.pieces.size() == 397);
  CHECK(serial.distinct_words > 12'000);
  Setup eight(8);
  for (int round = 0; round < 20; ++round) {
    UnigramTraining training = train_unigram(eight.context, counted, options);
    CHECK(training.pieces == serial.pieces);
    CHECK(training.scores == serial.scores);
    CHECK(training.log_likelihood == serial.log_likelihood);
    if (eight.parallel.stats().workers >= 2 && eight.parallel.stats().least_tiles >= 3) break;
  }
  CHECK(eight.parallel.stats().workers >= 2);
  CHECK(eight.parallel.stats().least_tiles >= 3);
}

TEST_CASE("a word of thousands of characters does not underflow, and too small a vocabulary is refused") {
  Setup s;
  SentenceWords words;
  WordCounter counter(words);
  std::string longest;
  Rng rng({5});
  for (int i = 0; i < 20'000; ++i) longest += static_cast<char>('a' + rng.below(26));
  counter.add_word(" " + longest, 3);
  counter.add_word(" abc", 2);
  auto counted = counter.words();
  UnigramOptions options;
  options.vocab_size = 60;
  options.pieces = 57;
  UnigramTraining training = train_unigram(s.context, counted, options);
  CHECK(training.pieces.size() == 57);
  CHECK(std::isfinite(training.log_likelihood));
  for (float score : training.scores) CHECK(std::isfinite(score));
  options.pieces = 20;
  CHECK_THROWS_WITH_AS(train_unigram(s.context, counted, options), doctest::Contains("--vocab-size"), UsageError);
}
