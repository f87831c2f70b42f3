// What becomes of a document's text before it is cut into pieces and counted.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tokenizer/normalizer.h"

namespace llmkit::tokenizer {

class TextSteps {
 public:
  TextSteps(const std::vector<std::string>& normalizers, bool sentences) : chain_(normalizers), sentences_(sentences) {}
  bool change_text() const { return !chain_.empty(); }
  void apply(std::string& text) const {
    if (!chain_.empty()) {
      std::string normal;
      chain_.normalize(text, TextStart::document, normal, nullptr);
      text = std::move(normal);
    }
    if (sentences_) text += '\n';  // the document's end is a line's end
  }

 private:
  NormalizerChain chain_;
  bool sentences_;
};

}  // namespace llmkit::tokenizer
