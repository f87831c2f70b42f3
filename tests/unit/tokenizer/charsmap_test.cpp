#include "tokenizer/charsmap.h"

#include <doctest/doctest.h>

#include <map>

#include "base/rng.h"
#include "tokenizer/charsmap_rules.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

TEST_CASE("compiled rules are found again, the longest first, and nothing else is") {
  Rng rng({17});
  const std::string alphabet[] = {"a", "b", "\x7F", "é", "\u0301", "가", "ㄱ", "😀"};
  auto text = [&](uint64_t most) {
    std::string s;
    for (uint64_t n = 1 + rng.below(most); n > 0; --n) s += alphabet[rng.below(std::size(alphabet))];
    return s;
  };
  for (int round = 0; round < 20; ++round) {
    std::map<std::string, std::string> rules;
    for (int i = 0; i < 400; ++i) rules[text(4)] = rng.below(5) ? text(2) : "";
    Charsmap map(compile_charsmap({rules.begin(), rules.end()}));
    int found = 0;
    for (int i = 0; i < 2000; ++i) {
      std::string s = text(5);
      if (rng.below(4) == 0) s.insert(rng.below(s.size() + 1), 1, '\0');
      size_t longest = s.size();
      while (longest > 0 && !rules.count(s.substr(0, longest))) --longest;
      auto rule = map.longest(s.data(), s.data() + s.size());
      REQUIRE((rule ? rule->length : 0) == longest);
      if (!rule) continue;
      ++found;
      REQUIRE(rule->replacement == rules[s.substr(0, longest)]);
      REQUIRE(!map.plain(s.data(), s.data() + s.size()));
    }
    CHECK(found > 100);
  }
  CHECK(compile_charsmap({}).empty());
}
