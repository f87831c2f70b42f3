// Which substrings can be pieces of a Unigram training: characters as numbers of its corpus.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "tokenizer/unigram_corpus.h"
#include "tokenizer/unigram_seeds.h"

namespace llmkit::tokenizer {

class SeedRules {
 public:
  SeedRules(const UnigramCorpus& corpus, const UnigramSeedOptions& options)
      : space_(corpus.space), unknown_(corpus.unknown), options_(options) {
    for (char32_t c : corpus.characters) {
      int script = script_number(c);
      bool digit = c >= '0' && c <= '9';
      if (digit && !options.split_numbers) script = kAnyScript;
      scripts_.push_back(script);
      digits_.push_back(digit);
      first_bytes_.push_back(c == 0        ? 0
                             : c < 0x80    ? c
                             : c < 0x800   ? 0xC0 | c >> 6
                             : c < 0x10000 ? 0xE0 | c >> 12
                                           : 0xF0 | c >> 18);
    }
  }

  const UnigramSeedOptions& options() const { return options_; }
  // Whether a character after the first ends its word: what comes then belongs to another.
  bool ends(uint16_t c) const { return c == UnigramCorpus::kLineEnd || c == space_; }
  // What follows a candidate must differ in this, if seeds are those of bytes: the first byte of its UTF-8.
  uint32_t first_byte(uint16_t c) const { return first_bytes_[c]; }

  bool valid(std::span<const uint16_t> piece) const {
    if (piece.size() < 2 || piece.size() > options_.max_characters) return false;
    int script = kAnyScript;
    for (size_t i = 0; i < piece.size(); ++i) {
      uint16_t c = piece[i];
      if (c == UnigramCorpus::kLineEnd || c == unknown_) return false;
      if (c == space_) {
        if (i > 0) return false;
        continue;
      }
      if (options_.split_digits && digits_[c]) return false;
      int s = scripts_[c] == kInheritedScript ? script : scripts_[c];
      if (options_.split_scripts && s != kAnyScript && script != kAnyScript && s != script) return false;
      script = s;
    }
    return true;
  }

 private:
  static constexpr int kAnyScript = -2;
  uint16_t space_, unknown_;
  UnigramSeedOptions options_;
  std::vector<int> scripts_;
  std::vector<uint32_t> first_bytes_;
  std::vector<bool> digits_;
};

}  // namespace llmkit::tokenizer
