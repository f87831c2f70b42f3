// How Unigram training cuts a text: words with the spaces before them, and with the end of the line if they are the
// last of it (unigram_corpus.h says why). Not a pre-tokenizer to encode with.
#pragma once

#include "tokenizer/pretokenizer.h"

namespace llmkit::tokenizer {

class SentenceWords : public PreTokenizer {
 public:
  size_t split(std::string_view text, size_t from, std::span<size_t> ends) const override;
  bool breaks_at_words() const override { return false; }
  std::string_view hugging_face_json() const override { return {}; }
};

}  // namespace llmkit::tokenizer
