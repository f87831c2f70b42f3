// How well a vocabulary fits a text: bytes per token, and how many tokens a character of each script costs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace llmkit::tokenizer {

struct ScriptCoverage {
  std::string_view name;  // "Latin", "Han", …
  int64_t characters = 0;
  double tokens = 0;  // a token counts for its characters in equal parts
  double tokens_per_character() const { return characters ? tokens / static_cast<double>(characters) : 0; }
};

struct Coverage {
  int64_t bytes = 0, tokens = 0, words = 0;  // words: runs between white space
  int64_t tokens_used = 0;                   // distinct
  std::vector<ScriptCoverage> scripts;       // those that occur, the most expensive first
  double bytes_per_token() const { return tokens ? static_cast<double>(bytes) / static_cast<double>(tokens) : 0; }
  double tokens_per_word() const { return words ? static_cast<double>(tokens) / static_cast<double>(words) : 0; }
};

Coverage measure_coverage(Parallel& parallel, const Tokenizer& tokenizer, std::span<const std::string_view> texts);

}  // namespace llmkit::tokenizer
