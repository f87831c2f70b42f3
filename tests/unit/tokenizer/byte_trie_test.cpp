#include "tokenizer/byte_trie.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "base/rng.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

TEST_CASE("the longest key is found, for random keys of all bytes") {
  Rng rng({11});
  for (int round = 0; round < 5; ++round) {
    std::map<std::string, int32_t> keys;
    uint64_t span = round < 3 ? 4 : 256;
    for (int32_t i = 0; i < 3000; ++i) {
      std::string key;
      for (uint64_t size = 1 + rng.below(7); key.size() < size;) key += static_cast<char>(rng.below(span));
      keys.emplace(key, i);
    }
    std::vector<std::pair<std::string_view, int32_t>> entries(keys.begin(), keys.end());
    ByteTrie trie(entries);
    for (int i = 0; i < 3000; ++i) {
      std::string text;
      for (int k = 0; k < 9; ++k) text += static_cast<char>(rng.below(span));
      ByteTrie::Match expected;
      for (size_t size = 1; size <= text.size(); ++size)
        if (auto found = keys.find(text.substr(0, size)); found != keys.end()) expected = {found->second, size};
      auto match = trie.longest(text.data(), text.data() + text.size());
      CHECK(match.value == expected.value);
      CHECK(match.length == expected.length);
    }
    for (auto& [key, value] : keys) CHECK(trie.longest(key.data(), key.data() + key.size()).value == value);
  }
}

TEST_CASE("an empty trie finds nothing") {
  std::string text("\0a", 2);
  CHECK(ByteTrie().longest(text.data(), text.data() + 2).value == ByteTrie::kNone);
}
