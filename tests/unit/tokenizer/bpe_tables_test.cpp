#include "tokenizer/bpe_tables.h"

#include <doctest/doctest.h>

#include <set>

#include "base/rng.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

struct Model {
  std::vector<std::string> tokens;
  std::vector<int32_t> symbols;
  std::vector<Merge> merges;
};

// Letters and random merges of tokens that there are already, so that every part has a lower rank than its whole.
Model random_model(Rng& rng, size_t letters, size_t merges) {
  Model model;
  std::set<std::string> known;
  for (size_t i = 0; i < letters; ++i) {
    model.tokens.push_back(std::string(1, static_cast<char>('a' + i)));
    model.symbols.push_back(static_cast<int32_t>(i));
    known.insert(model.tokens.back());
  }
  for (size_t tries = 0; tries < 4 * merges && model.merges.size() < merges; ++tries) {
    auto left = static_cast<int32_t>(rng.below(model.tokens.size()));
    auto right = static_cast<int32_t>(rng.below(model.tokens.size()));
    std::string whole = model.tokens[static_cast<size_t>(left)] + model.tokens[static_cast<size_t>(right)];
    if (whole.size() > 12 || !known.insert(whole).second) continue;
    model.merges.push_back({left, right, static_cast<int32_t>(model.tokens.size())});
    model.tokens.push_back(whole);
  }
  return model;
}

std::vector<int32_t> merged(const Model& model, const BpeMerger& merger, const std::string& text) {
  std::vector<int32_t> ids;
  for (char c : text) ids.push_back(model.symbols[static_cast<size_t>(c - 'a')]);
  BpeMerger::Scratch scratch;
  merger.merge(ids, 0, scratch);
  return ids;
}

}  // namespace

TEST_CASE("the tables give what merging gives, for random merge lists and texts") {
  Rng rng({7, 1});
  int exact = 0;
  for (int round = 0; round < 60; ++round) {
    Model model = random_model(rng, 2 + rng.below(3), 5 + rng.below(60));
    BpeMerger merger(model.merges);
    BpeTables tables(model.tokens, model.symbols, model.merges, merger);
    REQUIRE(tables.exact());
    BpeTables::Scratch scratch;
    for (int i = 0; i < 60; ++i) {
      std::string text;
      size_t size = 1 + rng.below(i < 50 ? 30 : 400);
      for (size_t k = 0; k < size; ++k) text += static_cast<char>('a' + rng.below(model.symbols.size()));
      std::vector<int32_t> ids;
      tables.encode(text, ids, scratch);
      REQUIRE(ids == merged(model, merger, text));
      ++exact;
    }
    // A token that merging its own text does not give is said to be unreachable.
    for (size_t id = 0; id < model.tokens.size(); ++id)
      CHECK(tables.reachable(static_cast<int32_t>(id)) == (merged(model, merger, model.tokens[id]).size() == 1));
  }
  CHECK(exact == 3600);
}

TEST_CASE("equal ranks are merged from the left, as SentencePiece does with equal scores") {
  // "ab" and "bc" of one rank.
  Model model{{"a", "b", "c", "ab", "bc"}, {0, 1, 2}, {{0, 1, 3}, {1, 2, 4}}};
  std::vector<uint32_t> ranks{0, 0};
  BpeMerger merger(model.merges, ranks);
  BpeTables tables(model.tokens, model.symbols, model.merges, merger);
  REQUIRE(tables.exact());
  BpeTables::Scratch scratch;
  for (std::string text : {"abc", "bcabc", "abcabc", "cbc"}) {
    std::vector<int32_t> ids;
    tables.encode(text, ids, scratch);
    CHECK(ids == merged(model, merger, text));
  }
}

TEST_CASE("a list whose parts come after their whole is not exact") {
  Model model{{"a", "b", "ab", "abb"}, {0, 1}, {{2, 1, 3}, {0, 1, 2}}};
  BpeMerger merger(model.merges);
  CHECK_FALSE(BpeTables(model.tokens, model.symbols, model.merges, merger).exact());
}

TEST_CASE("a million equal letters take linear time: a few steps back at each position") {
  Model model{{"a", "aa", "aaaa", "aaaaaaaa"}, {0}, {{0, 0, 1}, {1, 1, 2}, {2, 2, 3}}};
  BpeMerger merger(model.merges);
  BpeTables tables(model.tokens, model.symbols, model.merges, merger);
  BpeTables::Scratch scratch;
  std::vector<int32_t> ids;
  tables.encode(std::string(1'000'003, 'a'), ids, scratch);
  CHECK(ids.size() == 125'002);
  CHECK(ids.front() == 3);
  CHECK(ids[125'000] == 1);
  CHECK(ids.back() == 0);
}
