// Every code point in context becomes what Unicode's own tables (Python's unicodedata2 16.0) and Hugging Face
// tokenizers make of it; the hashes were written by tests/parity/tokenizer/make_normalizer_golden.py.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "base/rng.h"
#include "tokenizer/normalizer.h"
#include "unit/tokenizer/golden.h"

using namespace llmkit::tokenizer;

namespace {

std::string normal(std::vector<std::string> specs, std::string_view text) {
  std::string out;
  NormalizerChain(specs).normalize(text, TextStart::document, out, nullptr);
  return out;
}

}  // namespace

TEST_CASE("every code point in context is normalised as elsewhere") {
  constexpr std::string_view kContext = "a{}b {}\u0301{}\u0345\u0323{}{}\u1100{}\u1161{}\u11a8 A{}\u3099\uff9e";
  size_t names = golden::for_each_chunk(LLMKIT_SOURCE_DIR "/tests/parity/tokenizer/normalizer_golden.txt",
                                        [&](const std::string& name, uint32_t first, const std::string& hash) {
                                          CAPTURE(name);
                                          CAPTURE(first);
                                          auto normalizer = normalizers().make(name);
                                          std::string all;
                                          golden::for_each_text(first, kContext, [&](std::string_view text) {
                                            normalizer->normalize(text, TextStart::document, all, nullptr);
                                            all += '\xFF';
                                          });
                                          CHECK(golden::hex_hash(all) == hash);
                                        });
  CHECK(names == 9);
}

TEST_CASE("a long run of marks is put in order at once") {
  std::string marks, ordered;
  for (int i = 0; i < 100000; ++i) marks += i % 2 ? "\u0323" : "\u0301";  // class 220, class 230
  for (int i = 0; i < 100000; ++i) ordered += i < 50000 ? "\u0323" : "\u0301";
  CHECK(normal({"nfd"}, "x" + marks) == "x" + ordered);
}

TEST_CASE("white space at the ends and between") {
  CHECK(normal({"strip"}, "\n\u3000 a b\t ") == "a b");
  CHECK(normal({"strip:left=false"}, " a ") == " a");
  CHECK(normal({"collapse-spaces:to=_"}, " a  b   ") == " a_b_");
}

TEST_CASE("SentencePiece's rules; bert cleans and takes accents off") {
  CHECK(normal({"nmt", "nfkc"}, "ﬁ\tx\u200bＡ\x01①") == "fi x A1");
  CHECK(normal({"nmt-nfkc"}, "ﬁ\tx\u200bＡ\x01①  \u061c") == "fi x A1   ");
  CHECK(normal({"nmt-nfkc"}, "Ａ～\u200dｶﾞㄱㅏㅇ e\u0323\u0302") == "A～\u200dガ가\u110b ệ");
  CHECK(normal({"bert"}, "Ünïcode\t中文\u200dx\x0B\xFF") == "unicode  中  文 x");
  CHECK(normal({"bert:strip-accents=false,lowercase=false,chinese=false"}, "Ü 中") == "Ü 中");
  CHECK(normal({"lowercase"}, "ÀB\u0130Σ") == "àbi\u0307σ");
}

TEST_CASE("every normalizer says where each byte came from, whatever the bytes") {
  llmkit::Rng rng({5});
  const std::string alphabet[] = {"a",  "Ａ", " ",  "  ",   "é",        "e\u0301", "\u0323", "각",     "\u1100\u1161",
                                  "中", "ﬁ",  "\t", "\xFF", "\xE4\xB8", "\u0130",  "\u200b", "\u2581", "\uff9e"};
  for (auto& entry : normalizers().entries()) {
    auto normalizer = normalizers().make(entry.name);
    for (int round = 0; round < 200; ++round) {
      std::string text, plain, mapped;
      for (uint64_t i = rng.below(12); i > 0; --i) text += alphabet[rng.below(std::size(alphabet))];
      std::vector<size_t> origins;
      normalizer->normalize(text, TextStart::document, plain, nullptr);
      normalizer->normalize(text, TextStart::document, mapped, &origins);
      CAPTURE(entry.name);
      CAPTURE(text);
      REQUIRE(plain == mapped);
      REQUIRE(origins.size() == mapped.size());
      REQUIRE(std::is_sorted(origins.begin(), origins.end()));
      REQUIRE((origins.empty() || origins.back() <= text.size()));
    }
  }
}
