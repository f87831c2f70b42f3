// Merges that may not be made: tokens that mix scripts, or digits with anything else.
#pragma once

#include <string_view>

namespace llmkit::tokenizer {

struct MergeLimits {
  bool scripts = false;  // no token has letters of two scripts
  bool digits = false;   // a token with a digit has nothing else but the space in front
};

bool allowed_by(const MergeLimits& limits, std::string_view token);

}  // namespace llmkit::tokenizer
