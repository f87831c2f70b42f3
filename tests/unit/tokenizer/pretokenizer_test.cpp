#include "tokenizer/pretokenizer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/rng.h"
#include "tokenizer/unicode_class.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

std::vector<std::string> pieces(std::string_view name, std::string_view text, size_t batch = 3) {
  auto pre = pretokenizers().make(name);
  std::vector<std::string> out;
  std::vector<size_t> ends(batch);
  size_t begin = 0;
  while (size_t n = pre->split(text, begin, ends)) {
    for (size_t i = 0; i < n; ++i) {
      out.emplace_back(text.substr(begin, ends[i] - begin));
      begin = ends[i];
    }
  }
  return out;
}

using Pieces = std::vector<std::string>;

}  // namespace

// The expected pieces below were printed by Hugging Face tokenizers 0.23.3 (Split with the same regular expression).

TEST_CASE("gpt2 keeps the space before a word and splits contractions in lower case only") {
  CHECK(pieces("gpt2", "Hello world, it's WE'LL 123abc") ==
        Pieces{"Hello", " world", ",", " it", "'s", " WE", "'", "LL", " 123", "abc"});
}

TEST_CASE("white space before text gives its last character to the next piece") {
  CHECK(pieces("gpt2", "a   b\n\n  c \t ") == Pieces{"a", "  ", " b", "\n\n ", " c", " \t "});
  CHECK(pieces("llama3", "a   b\n\n  c \t ") == Pieces{"a", "  ", " b", "\n\n", " ", " c", " \t "});
}

TEST_CASE("llama3 groups digits by three, qwen2 takes one") {
  CHECK(pieces("llama3", "x12345 67") == Pieces{"x", "123", "45", " ", "67"});
  CHECK(pieces("qwen2", "x123 4") == Pieces{"x", "1", "2", "3", " ", "4"});
  CHECK(pieces("digits", "x  123 4b") == Pieces{"x", "  ", "1", "2", "3", " ", "4", "b"});
}

TEST_CASE("llama3 attaches one other character to letters and newlines to punctuation") {
  CHECK(pieces("llama3", "(foo) $bar!!\n\nx\xC2\xA0y") == Pieces{"(foo", ")", " $", "bar", "!!\n\n", "x", "\xC2\xA0y"});
  CHECK(pieces("llama3", "I'LL can\u2019t 'ſ \r\n\t x") ==
        Pieces{"I", "'LL", " can", "\u2019t", " '", "ſ", " \r\n", "\t", " x"});
}

TEST_CASE("Unicode letters, numbers and spaces count by their class") {
  CHECK(pieces("gpt2", "你好，世界 ١٢٣ Ⅷx") == Pieces{"你好", "，", "世界", " ١٢٣", " Ⅷ", "x"});
  CHECK(class_of(0x1C89) == CharClass::upper);  // new in Unicode 16
  CHECK(class_of(0x85) == CharClass::space);
  CHECK(class_of(0xFEFF) == CharClass::format);  // not white space, unlike in JavaScript
  CHECK(class_of(0x10FFFF) == CharClass::other);
}

TEST_CASE("cl100k keeps the white space at the end together") {
  CHECK(pieces("cl100k", "x 12345\n  ") == Pieces{"x", " ", "123", "45", "\n  "});
  CHECK(pieces("cl100k", "x\n  y") == Pieces{"x", "\n", " ", " y"});
  CHECK(pieces("llama3", "x\n  ") == Pieces{"x", "\n", "  "});
}

TEST_CASE("o200k ends words by case and keeps contractions") {
  CHECK(pieces("o200k", "HelloWorld don't HTTPServer ЖУКжук's //\n/x") ==
        Pieces{"Hello", "World", " don't", " HTTPServer", " ЖУКжук's", " //\n/", "x"});
  CHECK(pieces("o200k", "中文ABC e\u0301A \u0301A") == Pieces{"中文", "ABC", " e\u0301", "A", " \u0301", "A"});
}

TEST_CASE("deepseek cuts digits and East Asian runs out first") {
  CHECK(pieces("deepseek", "a  12中文ab 日本の、.com's ・\n") ==
        Pieces{"a", "  ", "12", "中文", "ab", " ", "日本の", "、.", "com", "'s", " ", "・", "\n"});
  CHECK(pieces("deepseek", "a\u200b\u200bb\u200b\u200b!") == Pieces{"a", "\u200b", "\u200bb", "\u200b\u200b", "!"});
}

TEST_CASE("bert, words, whitespace, metaspace and per-script") {
  CHECK(pieces("bert", "it's  a+b") == Pieces{"it", "'", "s", "  ", "a", "+", "b"});
  CHECK(pieces("words", "it's_ok  a+-b") == Pieces{"it", "'", "s_ok", "  ", "a", "+-", "b"});
  CHECK(pieces("whitespace", " it's\n\u3000ok") == Pieces{" ", "it's", "\n\u3000", "ok"});
  CHECK(pieces("metaspace", "▁a▁▁b c") == Pieces{"▁a", "▁", "▁b c"});
  CHECK(pieces("per-script", "  ab cd жук 漢字ひらカタ, x") == Pieces{"  ab cd ", "жук ", "漢字ひらカタ", ", ", "x"});
}

TEST_CASE("invalid UTF-8 is a run of other characters and nothing is lost") {
  CHECK(pieces("gpt2", "a\xFF\xC3 b\xE4\xBD") == Pieces{"a", "\xFF\xC3", " b", "\xE4\xBD"});
}

TEST_CASE("pieces cover the text and do not depend on the batch, for every pre-tokenizer") {
  Rng rng({1, 2});
  const std::string alphabet[] = {"a",  "Z", "'", "s", "re", " ",      " ", "\n",   "\r",
                                  "\t", "1", "٣", "é", "中", "\u3000", "!", "\xFF", "\xE4"};
  for (auto& entry : pretokenizers().entries()) {
    for (int round = 0; round < 300; ++round) {
      std::string text;
      for (uint64_t i = rng.below(40); i > 0; --i) text += alphabet[rng.below(std::size(alphabet))];
      Pieces one = pieces(entry.name, text, 1), many = pieces(entry.name, text, 64);
      CHECK(one == many);
      std::string joined;
      for (auto& p : one) {
        CHECK(!p.empty());
        joined += p;
      }
      CHECK(joined == text);
    }
  }
}

TEST_CASE("cutting at a safe place changes no piece, for every pre-tokenizer that allows it") {
  Rng rng({3});
  const std::string alphabet[] = {"a", "b", "'s", " ", " ", "\n", "1", "中", "é", "!", "\u3000", "\xFF"};
  int cuts = 0;
  for (auto& entry : pretokenizers().entries()) {
    if (!pretokenizers().make(entry.name)->breaks_at_words()) continue;
    for (int round = 0; round < 300; ++round) {
      std::string text;
      for (int i = 0; i < 30; ++i) text += alphabet[rng.below(std::size(alphabet))];
      size_t cut = safe_cut(text, 0, 15);
      cuts += cut < text.size();
      Pieces whole = pieces(entry.name, text), left = pieces(entry.name, text.substr(0, cut));
      for (auto& p : pieces(entry.name, text.substr(cut))) left.push_back(p);
      CHECK(whole == left);
    }
  }
  CHECK(cuts > 100);
}

TEST_CASE("what is said of sixty-four bytes at a time is what the scanner says of each piece") {
  Rng rng({21});
  const std::string kinds[] = {"a",  "b", "Z", "Q", " ", " ",    "\n", "\t", "\r", "'",      "s",     "t",
                               "ll", ".", ",", "/", "1", "\x01", "é",  "É",  "中", "\u0301", "\u00A0"};
  for (const char* name : {"gpt2", "cl100k", "llama3", "qwen2", "o200k"}) {
    auto pretokenizer = pretokenizers().make(name);
    size_t pieces = 0;
    for (int round = 0; round < 300; ++round) {
      std::string text;
      while (text.size() < 400) {
        // Words mostly, so that blocks have much to say, and in every third text hardly any; pieces stay short.
        if (round % 3 == 0 ? rng.below(12) == 0 : rng.below(3) != 0) {
          if (rng.below(4) != 0) text += ' ';
          for (uint64_t n = rng.below(6); n > 0; --n) text += static_cast<char>('a' + rng.below(26));
        }
        text += kinds[rng.below(std::size(kinds))];
        if (rng.below(4) == 0) text += kinds[rng.below(std::size(kinds))];
        if (text.size() % 40 > 30) text += " 7 ";
      }
      std::vector<size_t> all(1024), one(1);
      size_t count = pretokenizer->split(text, 0, all);
      size_t at = 0;
      for (size_t i = 0; i < count; at = all[i++]) {
        // Too little is left for a block.
        REQUIRE(pretokenizer->split(std::string_view(text).substr(0, at + 63), at, one) == 1);
        if (one[0] - at > 55) break;
        CHECK(all[i] == one[0]);
        ++pieces;
      }
    }
    CHECK(pieces > 20'000);
  }
}
