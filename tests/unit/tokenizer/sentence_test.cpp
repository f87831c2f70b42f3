// Sentences are encoded part by part, with words taken from the text as it is given; with spans they are encoded whole
// from their normal form, which is the reference here.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/parallel.h"
#include "base/rng.h"
#include "tokenizer/tokenizer.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

const std::string kMark = "▁";
const std::string kCharacters[] = {"a", "b", "c", ".", "é", "中", "文", "字", "。", "が", "😀", "Ж"};

std::string random_piece(Rng& rng) {
  std::string piece = rng.below(3) == 0 ? kMark : "";
  for (uint64_t n = 1 + rng.below(4); n > 0; --n) piece += kCharacters[rng.below(std::size(kCharacters))];
  if (rng.below(12) == 0) piece += kMark;
  return piece;
}

void add(TokenizerParts& parts, const std::string& token, float score, TokenType type = TokenType::normal) {
  if (std::find(parts.tokens.begin(), parts.tokens.end(), token) != parts.tokens.end()) return;
  parts.tokens.push_back(token);
  parts.scores.push_back(score);
  parts.types.push_back(type);
}

TokenizerParts of_sentences(ModelKind model, bool removes_extra) {
  TokenizerParts parts;
  parts.model = model;
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.pretokenizer = "none";
  parts.unk = "<unk>";
  parts.fuse_unk = true;
  parts.normalizers = {removes_extra ? "sentencepiece" : "sentencepiece:remove-extra=false"};
  add(parts, "<unk>", 0, TokenType::unknown);
  return parts;
}

TokenizerParts random_unigram(Rng& rng, int round) {
  TokenizerParts parts = of_sentences(ModelKind::unigram, round % 3 != 0);
  // Scores of few values make ties; large ones pass the place where sums begin anew.
  float step = round % 2 ? 0.5f : 0.013f, scale = round % 5 == 4 ? 300.0f : 1.0f;
  auto score = [&] { return -scale * (1 + step * static_cast<float>(rng.below(12))); };
  add(parts, kMark, score());
  for (auto& c : kCharacters)
    if (rng.below(8) != 0) add(parts, c, score());
  for (int i = 0; i < 80; ++i) add(parts, random_piece(rng), score());
  if (round % 4 == 1) add(parts, "中文", 0, TokenType::user_defined);
  return parts;
}

// Characters, and merges of two tokens that have no "▁" behind a letter.
TokenizerParts random_bpe(Rng& rng, int round) {
  TokenizerParts parts = of_sentences(ModelKind::bpe, round % 2 == 0);
  add(parts, kMark, 0);
  for (auto& c : kCharacters)
    if (rng.below(8) != 0) add(parts, c, 0);
  for (int i = 0; i < 120; ++i) {
    auto id = [&] { return static_cast<int32_t>(1 + rng.below(parts.tokens.size() - 1)); };
    int32_t left = id(), right = id();
    std::string whole = parts.tokens[static_cast<size_t>(left)] + parts.tokens[static_cast<size_t>(right)];
    if (whole.size() > 24 || (whole.find(kMark, 1) != std::string::npos && rng.below(10) != 0)) continue;
    size_t before = parts.tokens.size();
    add(parts, whole, -static_cast<float>(i));
    if (parts.tokens.size() > before) parts.merges.push_back({left, right, static_cast<int32_t>(before)});
  }
  return parts;
}

std::string random_text(Rng& rng, uint64_t words) {
  const std::string others[] = {" ",    "  ",           "\n",           "\t", "▁",
                                "\xE4", "\xE0\x81\x81", "\xED\xA0\x80", "Ａ", "abcabcabcabcabcabc"};
  std::string text;
  for (; words > 0; --words) {
    if (rng.below(5) == 0) text += others[rng.below(std::size(others))];
    if (rng.below(8) != 0) text += " ";
    for (uint64_t n = rng.below(rng.below(6) == 0 ? 30 : 6); n > 0; --n)
      text += kCharacters[rng.below(rng.below(3) == 0 ? std::size(kCharacters) : 4)];
  }
  return text;
}

}  // namespace

TEST_CASE("parts of sentences get the ids of whole ones") {
  Rng rng({12});
  size_t tokens = 0;
  for (int round = 0; round < 24; ++round) {
    Tokenizer tokenizer(round % 2 ? random_bpe(rng, round / 2) : random_unigram(rng, round / 2));
    for (int i = 0; i < 60; ++i) {
      std::string text = random_text(rng, i < 50 ? rng.below(12) : 300);
      if (i > 0 && i % 7 == 0) text = " " + text + "  ";
      std::vector<int32_t> whole;
      std::vector<Span> spans;
      tokenizer.encode(text, whole, spans);
      CHECK(tokenizer.encode(text) == whole);
      tokens += whole.size();
    }
  }
  CHECK(tokens > 50'000);
}

TEST_CASE("what rounding chose late in a long sentence is not taken for an early place") {
  size_t chosen_by_rounding = 0;
  for (int i = 0; i < 60; ++i) {
    TokenizerParts parts;
    parts.model = ModelKind::unigram;
    parts.symbols = TokenizerParts::Symbols::characters;
    parts.pretokenizer = "none";
    parts.unk = "<unk>";
    parts.normalizers = {"sentencepiece"};
    add(parts, "<unk>", 0, TokenType::unknown);
    add(parts, kMark, -3);
    add(parts, "b", -4.1f);
    add(parts, kMark + "a", -5.3f);
    add(parts, "ab", -6.4f - 0.0001f * static_cast<float>(i - 30));
    add(parts, kMark + "c", -971.7f - 0.37f * static_cast<float>(i));
    std::string far;
    for (int word = 0; word < 94; ++word) far += " c";
    Tokenizer tokenizer(parts), fresh(parts);
    auto late = tokenizer.encode(far + " ab"), early = fresh.encode("ab");
    CHECK(tokenizer.encode("ab") == early);
    chosen_by_rounding +=
        !std::equal(early.begin(), early.end(), late.end() - static_cast<std::ptrdiff_t>(early.size()));
  }
  CHECK(chosen_by_rounding > 3);
}
