// Pieces of wide characters are encoded part by part; with spans they are encoded whole, which is the reference here.
#include "tokenizer/character_cuts.h"

#include <doctest/doctest.h>

#include <set>

#include "base/parallel.h"
#include "base/rng.h"
#include "tokenizer/tokenizer.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

const std::string kWide[] = {"一", "丁", "七", "乀", "中", "丠", "、", "。", "が", "각", "\uE000", "龥"};

// Bytes and random merges of what random texts hold: parts of characters, characters and several of them.
TokenizerParts random_parts(Rng& rng, size_t merges) {
  TokenizerParts parts;
  parts.pretokenizer = "gpt2";
  std::set<std::string> known;
  for (int b = 0; b < 256; ++b) {
    parts.tokens.push_back(std::string(1, static_cast<char>(b)));
    known.insert(parts.tokens.back());
  }
  while (parts.merges.size() < merges) {
    std::string text;
    for (int i = 0; i < 4; ++i) text += kWide[rng.below(std::size(kWide))];
    BpeMerger merger(parts.merges);
    std::vector<int32_t> ids;
    for (char c : text) ids.push_back(static_cast<unsigned char>(c));
    BpeMerger::Scratch scratch;
    merger.merge(ids, 0, scratch);
    if (ids.size() < 2) continue;
    size_t at = rng.below(ids.size() - 1);
    std::string whole = parts.tokens[static_cast<size_t>(ids[at])] + parts.tokens[static_cast<size_t>(ids[at + 1])];
    if (!known.insert(whole).second) continue;
    parts.merges.push_back({ids[at], ids[at + 1], static_cast<int32_t>(parts.tokens.size())});
    parts.tokens.push_back(whole);
  }
  return parts;
}

}  // namespace

TEST_CASE("cut pieces of wide characters get the ids of whole ones") {
  Rng rng({11});
  const std::string others[] = {"a", " ", "é", "😀", "\xE4", "\xB8\x80", "\xE4\xB8", "1", "\n"};
  size_t tokens = 0, texts = 0;
  for (int round = 0; round < 12; ++round) {
    TokenizerParts parts = random_parts(rng, 20 + rng.below(120));
    // Tokens that no merge makes: with ignore_merges they are found as whole pieces only.
    parts.ignore_merges = round % 2;
    if (parts.ignore_merges) parts.tokens.insert(parts.tokens.end(), {"龥龥", "中丠", "\x80\xE4"});
    Tokenizer tokenizer(parts);
    for (int i = 0; i < 150; ++i) {
      std::string text;
      for (uint64_t n = 1 + rng.below(i < 100 ? 12 : 60); n > 0; --n)
        text += rng.below(8) ? kWide[rng.below(std::size(kWide))] : others[rng.below(std::size(others))];
      std::vector<int32_t> whole;
      std::vector<Span> spans;
      tokenizer.encode(text, whole, spans);
      CAPTURE(text);
      REQUIRE(tokenizer.encode(text) == whole);
      REQUIRE(tokenizer.encode(text) == whole);  // from the cache
      tokens += whole.size();
      ++texts;
    }
  }
  CHECK(tokens > 10 * texts);
}

TEST_CASE("a place is joined where a token reaches over it, in whole characters or in parts of them") {
  auto code = [](const char* c) { return CharacterCuts::code_of(c); };
  auto joined = [&](const CharacterCuts& cuts, const char* a, const char* b) {
    uint8_t leaving = cuts.leaving(code(a)), entering = cuts.entering(code(b));
    bool maybe = cuts.maybe_joined(code(a), leaving, code(b), entering);
    return maybe && cuts.joined(code(a), leaving, code(b), entering);
  };
  CharacterCuts whole({"中一", "a丁"});
  CHECK(joined(whole, "中", "一"));
  CHECK_FALSE(joined(whole, "一", "中"));
  CHECK_FALSE(joined(whole, "丁", "丁"));
  CharacterCuts parts({"\x80\xE4", "\xB8\xAD\xE4\xB8", "一\xE3\x80"});  // of 一 and any of E4; of 中 and any of E4 B8
  CHECK(joined(parts, "一", "中"));
  CHECK(joined(parts, "中", "一"));
  CHECK(joined(parts, "一", "。"));
  CHECK_FALSE(joined(parts, "中", "。"));
  CHECK_FALSE(joined(parts, "中", "乀"));  // E4 B9
}

TEST_CASE("long and short texts together on several threads give the ids of one by one") {
  Rng rng({4});
  Tokenizer tokenizer(random_parts(rng, 60));
  std::vector<std::string> texts(400);
  for (size_t i = 0; i < texts.size(); ++i) {
    size_t size = i % 40 == 7 ? 400'000 : i % 10 == 0 ? 0 : rng.below(5'000);
    while (texts[i].size() < size)
      texts[i] += rng.below(6) ? kWide[rng.below(std::size(kWide))] : std::string("ab cd\n");
  }
  std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<std::vector<int32_t>> expected;
  for (auto& text : texts) expected.push_back(tokenizer.encode(text));
  Parallel parallel(4);
  for (int i = 0; i < 50 && (parallel.stats().workers < 2 || parallel.stats().least_tiles < 3); ++i)
    REQUIRE(tokenizer.encode_all(parallel, views) == expected);
  CHECK(parallel.stats().workers >= 2);
  CHECK(parallel.stats().least_tiles >= 3);
}
