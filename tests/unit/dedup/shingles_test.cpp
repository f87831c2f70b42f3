#include "dedup/shingles.h"

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>

#include "base/rng.h"

using namespace llmkit;
using namespace llmkit::dedup;

namespace {

std::vector<uint64_t> shingles(std::string_view text, int ngram = 5) {
  Shingles out;
  Shingler(ngram).run(text, out);
  return out.hashes;
}

// Word n-grams as strings: the definition.
std::set<std::string> ngrams(const std::string& text, size_t n) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string w; stream >> w;) words.push_back(w);
  std::set<std::string> out;
  for (size_t i = 0; i + n <= words.size(); ++i) {
    std::string joined;
    for (size_t k = 0; k < n; ++k) joined += words[i + k] + " ";
    out.insert(joined);
  }
  return out;
}

std::string random_text(Rng& rng, int count, int vocabulary) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    uint64_t w = rng.below(static_cast<uint64_t>(vocabulary)), length = 1 + w * 7 % 19;  // words of 1 to 19 letters
    for (uint64_t k = 0; k < length; ++k) text += static_cast<char>('a' + (w / (k + 1) + k * w) % 26);
    text += static_cast<char>('a' + w % 26);
    text += ' ';
  }
  return text;
}

}  // namespace

TEST_CASE(
    "the hashed sets have exactly the sizes, the intersections and the Jaccard similarity of the sets of strings") {
  Rng rng{1, 2};
  Shingler shingler(3);
  Shingles sa, sb;
  for (int round = 0; round < 20; ++round) {
    std::string a = random_text(rng, 400, 7), b = a.substr(0, a.size() / 2) + random_text(rng, 300, 7);
    auto na = ngrams(a, 3), nb = ngrams(b, 3);
    size_t common = 0;
    for (auto& g : na) common += nb.count(g);
    shingler.run(a, sa);
    shingler.run(b, sb);
    make_set(sa.hashes);
    make_set(sb.hashes);
    CHECK(sa.hashes.size() == na.size());
    CHECK(sb.hashes.size() == nb.size());
    CHECK(jaccard(sa.hashes.data(), sa.hashes.size(), sb.hashes.data(), sb.hashes.size()) ==
          static_cast<double>(common) / static_cast<double>(na.size() + nb.size() - common));
  }
}

TEST_CASE("half a million different word pairs have different hashes") {
  std::string text;
  Rng rng{3, 4};
  std::set<std::pair<uint64_t, uint64_t>> pairs;
  uint64_t last = 0;
  for (int i = 0; i < 100'000; ++i) {  // eight-letter words that differ in their last letters only
    uint64_t w = rng.below(676);
    text += "abcdef";
    text += static_cast<char>('a' + w / 26);
    text += static_cast<char>('a' + w % 26);
    text += ' ';
    if (i) pairs.insert({last, w});
    last = w;
  }
  auto hashes = shingles(text, 2);
  make_set(hashes);
  CHECK(hashes.size() == pairs.size());
}

TEST_CASE("word boundaries and order count") {
  CHECK(shingles("ab c d e f") != shingles("a bc d e f"));
  CHECK(shingles("a b c d e f") != shingles("b a c d e f"));
  CHECK(shingles("one two") != shingles("onetwo"));
  for (size_t length = 1; length <= 40; ++length) {  // words around the eight-byte steps
    std::string w(length, 'x');
    CHECK(shingles(w) == shingles(" " + w + "."));
    CHECK(shingles(w) != shingles(w + "x"));
  }
}

TEST_CASE("short texts have one shingle, empty ones none") {
  CHECK(shingles("only three words").size() == 1);
  CHECK(shingles("exactly five words are here").size() == 1);
  CHECK(shingles("now there are six words here").size() == 2);
  CHECK(shingles("").empty());
  CHECK(shingles(" ?! ").empty());
}

TEST_CASE("exact keys ignore layout and case, and respect digits and wordless texts") {
  Shingler shingler(5);
  auto key = [&](std::string_view text) {
    Shingles out;
    shingler.run(text, out);
    return out.exact;
  };
  CHECK(key("Hello,  World") == key("hello world\n"));
  CHECK(key("Invoice 12") != key("Invoice 13"));
  CHECK(shingles("Invoice 12") == shingles("Invoice 13"));
  CHECK(key("!!!") != key("???"));
  CHECK(key("") == key(""));
  CHECK(key("") != key(" "));
}
