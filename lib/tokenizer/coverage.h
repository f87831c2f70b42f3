// How well a vocabulary fits a text: bytes per token, and how many tokens a character of each script costs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace llmkit::tokenizer {

struct TextSizes {
  int64_t bytes = 0, characters = 0;
  int64_t words = 0;  // runs between white space; an ideograph or kana is one of its own, as word processors count
  void operator+=(const TextSizes& other);
};
TextSizes sizes_of(std::string_view text);

struct ScriptCoverage {
  std::string_view name;  // "Latin", "Han", …
  int64_t characters = 0;
  int64_t unknown = 0;  // of the characters: those that the unknown token stands for
  double tokens = 0;    // a token counts for the bytes that it stands for in equal parts
  double tokens_per_character() const { return characters ? tokens / static_cast<double>(characters) : 0; }
  double unknown_share() const {
    return characters ? static_cast<double>(unknown) / static_cast<double>(characters) : 0;
  }
  // Unknown characters are worse than any number of tokens.
  bool worse_than(const ScriptCoverage& other) const {
    return std::pair(unknown_share(), tokens_per_character()) >
           std::pair(other.unknown_share(), other.tokens_per_character());
  }
};

struct Coverage : TextSizes {
  int64_t tokens = 0, tokens_used = 0;  // used: distinct
  std::vector<ScriptCoverage> scripts;  // those that occur, the worst first
  double bytes_per_token() const { return tokens ? static_cast<double>(bytes) / static_cast<double>(tokens) : 0; }
  double tokens_per_word() const { return words ? static_cast<double>(tokens) / static_cast<double>(words) : 0; }
};

Coverage measure_coverage(Parallel& parallel, const Tokenizer& tokenizer, std::span<const std::string_view> texts);

}  // namespace llmkit::tokenizer
