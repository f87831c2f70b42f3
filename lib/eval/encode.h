// From texts to token sequences to be scored, with lm-evaluation-harness's semantics (Gao et al. 2021): trailing spaces
// of a context belong to the continuation; the pair is encoded as one text and cut where the context's own encoding
// ends; what is too long loses its beginning.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/session.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::eval {

// `prefix` stands for an empty context: the token that separates documents. At most max_tokens + 1 tokens remain (the
// last is predicted, not read).
engine::ScoreJob encode_pair(const tokenizer::Tokenizer& tokenizer, std::string context, std::string continuation,
                             int32_t prefix, int64_t max_tokens);

// Disjoint windows in which each token is predicted once: the first from `prefix`, later ones with as much left context
// as the window of max_tokens allows but at least one token (the harness's get_rolling_token_windows, context_len 1).
std::vector<engine::ScoreJob> rolling_windows(std::span<const int32_t> tokens, int32_t prefix, int64_t max_tokens);

}  // namespace llmkit::eval
