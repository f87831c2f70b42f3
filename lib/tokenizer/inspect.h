// What a person wants to see of a tokenizer: where the tokens of a text begin and end, and how a token came about.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace llmkit::tokenizer {

// Bytes as text for a terminal: control characters and what is not UTF-8 as <1B>, nothing that a terminal would obey.
std::string visible_text(std::string_view bytes);

enum class Paint { colours, bars };  // a background for each token, or "|" between them

// The tokens one after the other. A newline is shown as ⏎ and then taken.
std::string paint_tokens(const Tokenizer& tokenizer, std::span<const int32_t> ids, Paint paint);

struct MergeStep {
  int64_t rank;  // which merge of the vocabulary, from 0
  int32_t left, right, result;
};

// The merges that build `id` in the order in which they are applied; none for a token that nothing was merged for.
std::vector<MergeStep> merge_history(const TokenizerParts& parts, int32_t id);

}  // namespace llmkit::tokenizer
