// The words of a Unigram training as small character numbers: "▁" and the characters of a word, where "▁" (U+2581)
// stands for the space or the start of the line before it, as in SentencePiece.
//
// A piece " the" of the counter is a word that another follows, " the\n" one that ends its line. The two are told
// apart because SentencePiece takes its seeds from whole lines: what follows a substring decides whether it is one.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/word_counter.h"

namespace llmkit::tokenizer {

struct UnigramCorpus {
  // Character numbers: kLineEnd, then characters by code point. text holds each word's characters and what follows it:
  // kLineEnd or the number of "▁"; a word that occurs in both ways stands there twice.
  static constexpr uint16_t kLineEnd = 0;
  struct Entry {
    uint32_t begin, size;  // characters, without what follows
    uint64_t count;
    bool again;  // the same word as the entry before
  };
  std::vector<uint16_t> text;
  std::vector<Entry> entries;
  std::vector<char32_t> characters;  // by number; [kLineEnd] = 0
  std::vector<uint64_t> counts;      // of each
  std::vector<uint16_t> required;    // by falling count: the characters that the vocabulary must have
  uint16_t space = 0, unknown = 0;   // the numbers of "▁" and of the stand-in for characters beyond the coverage

  std::string spell(std::span<const uint16_t> characters_of_piece) const;
};

// Counts the characters of words, then numbers those that a training knows.
class UnigramAlphabet {
 public:
  void count(std::string_view word, uint64_t times);
  // `coverage`: the share of the text's characters that the required ones must make up. Tabs are unknown unless `tabs`.
  void choose(UnigramCorpus& corpus, double coverage, bool tabs);
  void code(std::string_view word, std::vector<uint16_t>& out) const;  // appends its numbers, "▁" first

 private:
  std::vector<uint64_t> low_ = std::vector<uint64_t>(0x3000);
  std::unordered_map<char32_t, uint64_t> high_;
  uint64_t all_ = 0;
  std::unordered_map<char32_t, uint16_t> number_;
  std::array<uint16_t, 128> ascii_{};
  uint16_t unknown_ = 0;
};

// A piece without the spaces around it and the end of its line; empty where there is no word.
std::string_view word_of_piece(std::string_view piece, bool& last);

UnigramCorpus code_words(std::span<const CountedWord> pieces, double coverage, bool tabs = true);

// SentencePiece's scripts: kana count as Han, 0 is any, combining marks take that of the character before.
constexpr int kInheritedScript = -1;
int script_number(char32_t code_point);

}  // namespace llmkit::tokenizer
