#include "dedup/normalize.h"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

using namespace llmkit::dedup;

namespace {

const FoldTable& table() {
  static const FoldTable shared;
  return shared;
}

// The normalised words joined by one space.
std::string words(std::string_view text) {
  Normalized out;
  normalize(text, table(), out);
  std::istringstream stream(out.text.substr(0, out.length));
  std::string all, word;
  while (stream >> word) all += (all.empty() ? "" : " ") + word;
  return all;
}

uint64_t digits(std::string_view text) {
  Normalized out;
  normalize(text, table(), out);
  return out.digits_hash;
}

}  // namespace

TEST_CASE("case, punctuation, white space and diacritics do not count") {
  CHECK(words("  Hello,\t WORLD!\r\n") == "hello world");
  CHECK(words("well-known it's \"quoted\" text…") == "well known it s quoted text");
  CHECK(words("Ünïcödé CAFÉ cafe\u0301 ÅNGSTRÖM Ł") == "unicode cafe cafe angstrom ł");
  CHECK(words("Ελληνικά ΆΈΉ Привет Ёж") == "ελληνικα αεη привет еж");
}

TEST_CASE("a run of digits is one zero, in any script") {
  CHECK(words("In 1984, 12.5% of b2b") == "in 0 0 0 of b0b");
  CHECK(words("٣٤ ५") == "0 0");
}

TEST_CASE("the digits hash tells numbers apart, but only numbers") {
  CHECK(digits("page 1") != digits("page 2"));
  CHECK(digits("1 23") != digits("12 3"));
  CHECK(digits("a 0") != digits("a 00"));
  CHECK(digits("page 1") == digits("PAGE 1!\n"));
  CHECK(digits("no numbers") == digits(""));
}

TEST_CASE("scripts without spaces give one word a character") {
  CHECK(words("我爱LLM模型。好") == "我 爱 llm 模 型 好");
  CHECK(words("ひらカナ") == "ひ ら カ ナ");
  CHECK(words("ガ") == "カ");  // the voiced mark is a non-spacing mark after NFD
  CHECK(words("ภาษา") == "ภ า ษ า");
  CHECK(words("𠀀𠀁") == "𠀀 𠀁");
}

TEST_CASE("composed and decomposed Hangul are equal and keep their words") {
  CHECK(words("한국어 값") == words("\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165 \u1100\u1161\u11b9"));
  CHECK(words("한국어 값") != words("한국 어값"));
}

TEST_CASE("invisible characters vanish and invalid UTF-8 separates") {
  CHECK(words("\ufeffso\u00adft zero\u200bwidth") == "soft zerowidth");
  CHECK(words("a\xff"
              "b \xc3(c \xed\xa0\x80 d\xf4\x90\x80\x80 \xe2\x82") == "a b c d");
  CHECK(words("") == "");
}

TEST_CASE("the block path and the character path agree at every offset") {
  std::string text = "The Quick, brown FOX; jumps 12 over the lazy dog — and Ende été 3.14 again and again";
  std::string expected = words(text);
  for (int shift = 0; shift < 40; ++shift)
    CHECK(words(std::string(static_cast<size_t>(shift), ' ') + text) == expected);
}
