// Unigram, WordPiece and BPE on characters: against enumeration, and by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "base/parallel.h"
#include "tokenizer/tokenizer.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

using Ids = std::vector<int32_t>;

TokenizerParts unigram_parts() {
  TokenizerParts parts;
  parts.model = ModelKind::unigram;
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.pretokenizer = "none";
  parts.fuse_unk = true;
  parts.unk = "<unk>";
  parts.tokens = {"<unk>", "a", "b", "c", "ab", "bc", "abc", "aa", "é"};
  parts.scores = {0, -2, -2.5f, -2.25f, -3.75f, -4, -7, -3.5f, -5};
  parts.types.assign(parts.tokens.size(), TokenType::normal);
  parts.types[0] = TokenType::unknown;
  return parts;
}

// Every segmentation of `text` with its score.
std::map<Ids, double> all_segmentations(const TokenizerParts& parts, const std::string& text) {
  std::map<Ids, double> out;
  Ids ids;
  std::function<void(size_t, double)> walk = [&](size_t at, double score) {
    if (at == text.size()) {
      out[ids] = score;
      return;
    }
    for (size_t id = 1; id < parts.tokens.size(); ++id) {
      if (text.compare(at, parts.tokens[id].size(), parts.tokens[id]) != 0) continue;
      ids.push_back(static_cast<int32_t>(id));
      walk(at + parts.tokens[id].size(), score + static_cast<double>(parts.scores[id]));
      ids.pop_back();
    }
  };
  walk(0, 0);
  return out;
}

TokenizerParts wordpiece_parts() {
  TokenizerParts parts;
  parts.model = ModelKind::wordpiece;
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.pretokenizer = "none";
  parts.word_prefix = "##";
  parts.joining = Joining::wordpiece;
  parts.unk = "[UNK]";
  parts.tokens = {"[UNK]", "un", "##aff", "##able", "##a", "able", "é", "##é"};
  return parts;
}

TokenizerParts sentencepiece_parts(bool fallback) {
  TokenizerParts parts;
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.pretokenizer = "none";
  parts.normalizers = {"prepend", "replace"};
  parts.joining = Joining::metaspace;
  parts.drop_first_space = true;
  parts.fuse_unk = true;
  parts.unk = "<unk>";
  parts.tokens = {"<unk>"};
  if (fallback) {
    parts.byte_fallback = true;
    char name[8];
    for (int b = 0; b < 256; ++b) {
      std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(b));
      parts.tokens.push_back(name);
    }
  }
  auto base = static_cast<int32_t>(parts.tokens.size());
  parts.tokens.insert(parts.tokens.end(), {"▁", "a", "b", "▁a", "ab", "▁ab", "▁▁"});
  parts.merges = {{base, base + 1, base + 3},
                  {base + 1, base + 2, base + 4},
                  {base + 3, base + 2, base + 5},
                  {base, base, base + 6}};
  return parts;
}

}  // namespace

TEST_CASE(
    "Unigram gives the best segmentation, the n best in order, and draws "
    "each by its probability") {
  TokenizerParts parts = unigram_parts();
  Tokenizer tokenizer(parts);
  for (std::string text : {"abc", "aabcab", "cabaab", "bbbb"}) {
    auto all = all_segmentations(parts, text);
    std::vector<std::pair<double, Ids>> sorted;
    for (auto& [ids, score] : all) sorted.emplace_back(-score, ids);
    std::sort(sorted.begin(), sorted.end());
    double best = -sorted[0].first;
    CHECK(all.at(tokenizer.encode(text)) == doctest::Approx(best));
    auto n_best = tokenizer.encode_best(text, 5);
    REQUIRE(n_best.size() == std::min<size_t>(5, all.size()));
    for (size_t i = 0; i < n_best.size(); ++i) {
      CHECK(n_best[i].score == doctest::Approx(-sorted[i].first));
      CHECK(all.at(n_best[i].ids) == doctest::Approx(n_best[i].score));
    }
  }
  // alpha 1: the share of each segmentation is its probability.
  auto all = all_segmentations(parts, "abc");
  double sum = 0;
  for (auto& [ids, score] : all) sum += std::exp(score);
  std::map<Ids, int> drawn;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    EncodeOptions options;
    options.sampling.alpha = 1;
    options.document = static_cast<uint64_t>(i);
    ++drawn[tokenizer.encode("abc", options)];
  }
  for (auto& [ids, score] : all) {
    double p = std::exp(score) / sum;
    CHECK(std::abs(drawn[ids] / double{kDraws} - p) < 5 * std::sqrt(p * (1 - p) / kDraws));
  }
}

TEST_CASE("unknown characters are one token a run; with byte fallback their bytes") {
  Tokenizer tokenizer(unigram_parts());
  CHECK(tokenizer.encode("axyb") == Ids{1, 0, 2});
  CHECK(tokenizer.encode("中文") == Ids{0});
  CHECK(tokenizer.encode("é") == Ids{8});
  Tokenizer plain(sentencepiece_parts(false)), bytes(sentencepiece_parts(true));
  CHECK(plain.encode("ab xx b") == Ids{6, 1, 0, 1, 3});
  CHECK(bytes.encode("ab x") == Ids{262, 257, 1 + 'x'});
  CHECK(bytes.decode(bytes.encode("ab é\xFF z")) == "ab é\xFF z");
  CHECK(bytes.decode(bytes.encode("  ab")) == "  ab");
  CHECK(bytes.encode("  ab  b") == Ids{263, 262, 263, 259});
}

TEST_CASE("WordPiece takes the longest piece, or gives the word up") {
  Tokenizer tokenizer(wordpiece_parts());
  CHECK(tokenizer.encode("unaffable") == Ids{1, 2, 3});
  CHECK(tokenizer.encode("unaé") == Ids{1, 4, 7});
  CHECK(tokenizer.encode("unx") == Ids{0});
  CHECK(tokenizer.encode(std::string(101, 'a')) == Ids{0});
  CHECK(tokenizer.decode(Ids{1, 2, 3, 5}) == "unaffable able");
}

TEST_CASE(
    "spans say where each token stands, through normalizers and unknown "
    "characters") {
  Ids ids;
  std::vector<Span> spans;
  Tokenizer tokenizer(sentencepiece_parts(false));
  tokenizer.encode("ab xx b", ids, spans);
  CHECK(ids == tokenizer.encode("ab xx b"));
  CHECK(spans == std::vector<Span>{{0, 2}, {2, 3}, {3, 5}, {5, 6}, {6, 7}});
  Tokenizer bytes(sentencepiece_parts(true));
  ids.clear();
  spans.clear();
  bytes.encode("a é", ids, spans);
  CHECK(spans == std::vector<Span>{{0, 1}, {1, 2}, {2, 3}, {3, 4}});
  TokenizerParts parts = sentencepiece_parts(true);
  AddedToken end;
  end.content = "<end>";
  int32_t end_id = parts.add(end);
  ids.clear();
  spans.clear();
  Tokenizer(parts).encode("ab<end><end>b", ids, spans, {.special = SpecialText::parse});
  CHECK(ids == Ids{262, end_id, end_id, 257, 259});
  CHECK(spans == std::vector<Span>{{0, 2}, {2, 7}, {7, 12}, {12, 13}, {12, 13}});
  Tokenizer words(wordpiece_parts());
  ids.clear();
  spans.clear();
  words.encode("unaffable", ids, spans);
  CHECK(spans == std::vector<Span>{{0, 2}, {2, 5}, {5, 9}});
}

TEST_CASE(
    "dropout 0 is plain merging, 1 leaves symbols, between them it "
    "depends on the seed alone") {
  Tokenizer tokenizer(sentencepiece_parts(true));
  EncodeOptions options;
  options.sampling.dropout = 1;
  CHECK(tokenizer.encode("abab", options) == Ids{257, 258, 259, 258, 259});
  options.sampling.dropout = 0.5;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "abab ";
  Ids first = tokenizer.encode(text, options), second = tokenizer.encode(text, options);
  CHECK(first == second);
  CHECK(tokenizer.decode(first) == text);
  CHECK(first.size() > tokenizer.encode(text).size());
  options.seed = 1;
  CHECK(tokenizer.encode(text, options) != first);
}

TEST_CASE(
    "cached and uncached pieces give the same ids, and long sentences do "
    "not change short choices") {
  Tokenizer tokenizer(unigram_parts());
  std::string text, word = "aabcab";
  Ids one = tokenizer.encode(word);
  for (int i = 0; i < 3000; ++i) text += word + "é";
  Ids ids = tokenizer.encode(text);
  CHECK(ids == tokenizer.encode(text));
  CHECK(std::equal(one.begin(), one.end(), ids.begin()));
}

TEST_CASE(
    "one huge text on several threads, and a text without spaces, give "
    "the ids of one thread") {
  TokenizerParts parts;
  parts.pretokenizer = "gpt2";
  for (int b = 0; b < 256; ++b) parts.tokens.push_back(std::string(1, static_cast<char>(b)));
  parts.tokens.insert(parts.tokens.end(), {"ab", "abab"});
  parts.merges = {{'a', 'b', 256}, {256, 256, 257}};
  Tokenizer tokenizer(parts);
  std::string text;
  for (int i = 0; text.size() < (size_t{6} << 20); ++i) text += (i % 7 == 0 ? "abab aab\n" : "ababab b ");
  Ids expected = tokenizer.encode(text), ids;
  Parallel parallel(4);
  for (int i = 0; i < 50 && (parallel.stats().workers < 2 || parallel.stats().least_tiles < 3); ++i) {
    ids.clear();
    tokenizer.encode(parallel, text, ids);
    REQUIRE(ids == expected);
  }
  CHECK(parallel.stats().workers >= 2);
  CHECK(parallel.stats().least_tiles >= 3);
  CHECK(tokenizer.decode(ids) == text);
  CHECK(tokenizer.encode(std::string(3 << 20, 'x')).size() == 3 << 20);
}
