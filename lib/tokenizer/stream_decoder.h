// Decodes a stream of ids to text that is whole UTF-8 at every step: an incomplete character waits for its other
// tokens, bytes that can no longer become one are replaced by U+FFFD (as many as decoding the whole would give).
#pragma once

#include <cstdint>
#include <string>

#include "tokenizer/tokenizer.h"

namespace llmkit::tokenizer {

class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true)
      : tokenizer_(tokenizer), skip_special_(skip_special) {}

  std::string push(int32_t id);  // the text that became certain
  std::string finish();          // the rest; the decoder can be used again

 private:
  std::string take(bool all);

  const Tokenizer& tokenizer_;
  bool skip_special_;
  std::string pending_;
};

}  // namespace llmkit::tokenizer
