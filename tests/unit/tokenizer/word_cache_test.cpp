#include "tokenizer/word_cache.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>

#include "base/rng.h"
#include "tokenizer/tokenizer.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

TEST_CASE("the key of a piece is its bytes and their number, wherever it stands") {
  std::string text = std::string("a\0\0b", 4) + "cdefghijklmnopqrstuvwxyz\xFF\xFF\xFF\xFF";
  std::set<std::pair<uint64_t, uint64_t>> keys;
  size_t pieces = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    for (size_t size = 1; size <= WordCache::kMaxBytes && at + size <= text.size(); ++size, ++pieces) {
      WordKey key = word_key(text.data() + at, size, text.size() - at);
      std::string alone = text.substr(at, size);
      CHECK(key == word_key(alone.data(), size, size));
      CHECK(same_key(key, key));
      CHECK(!same_key(key, WordCache::part_key(key)));
      keys.emplace(key.low, key.high);
    }
  }
  // The only equal pieces are those within the two zero bytes and the four of FF: 1, and 3 + 2 + 1.
  CHECK(keys.size() == pieces - 7);
}

TEST_CASE("a cache grows with the number of words, and what it says of a word is right") {
  WordCache cache;
  auto word = [](int32_t i) { return " word" + std::to_string(i); };
  auto ids_of = [](int32_t i) { return std::vector<int32_t>(static_cast<size_t>(1 + i % 4), i); };
  constexpr int32_t kWords = 60'000;  // twice as many as it begins with places for
  int known = 0;
  for (int round = 0; round < 4; ++round) {
    known = 0;
    for (int32_t i = 0; i < kWords; ++i) {
      if (i % 100 == 0) cache.grow_if_wanted();
      std::string s = word(i);
      WordKey key = word_key(s.data(), s.size(), s.size());
      const auto& entry = cache.look(key);
      if (!(entry.key == key)) {
        cache.store(key, ids_of(i));
        continue;
      }
      ++known;
      REQUIRE(std::vector<int32_t>(entry.ids, entry.ids + entry.count()) == ids_of(i));
    }
  }
  CHECK(known > kWords * 9 / 10);
}

TEST_CASE("ids do not depend on what a cache held before it grew") {
  TokenizerParts parts;
  for (int b = 0; b < 256; ++b) parts.tokens.push_back(std::string(1, static_cast<char>(b)));
  for (char c = 'a'; c <= 'p'; ++c) {
    parts.merges.push_back({' ', c, static_cast<int32_t>(parts.tokens.size())});
    parts.tokens.push_back(std::string(" ") + c);
  }
  parts.pretokenizer = "cl100k";
  Tokenizer tokenizer(parts);
  Rng rng({3});
  std::string text;
  for (int i = 0; i < 50'000; ++i) {
    text += ' ';
    for (uint64_t n = 1 + rng.below(5); n > 0; --n) text += static_cast<char>('a' + rng.below(16));
  }
  std::vector<int32_t> plain;
  std::vector<Span> spans;
  tokenizer.encode(text, plain, spans);  // looks into no cache
  for (int round = 0; round < 3; ++round) CHECK(tokenizer.encode(text) == plain);
}
