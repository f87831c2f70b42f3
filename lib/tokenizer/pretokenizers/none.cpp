// No cutting: a document is one piece, and merges may reach over words.
#include "tokenizer/pretokenizer.h"

namespace llmkit::tokenizer {
namespace {

class WholeText : public PreTokenizer {
 public:
  size_t split(std::string_view text, size_t from, std::span<size_t> ends) const override {
    if (from == text.size() || ends.empty()) return 0;
    ends[0] = text.size();
    return 1;
  }
  bool breaks_at_words() const override { return false; }
  std::string_view hugging_face_json() const override { return LLMKIT_BYTE_LEVEL("false"); }
};

}  // namespace

Entry<PreTokenizer> none_pretokenizer() {
  Entry<PreTokenizer> entry{{"none", "the whole text as one piece", ""}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> { return std::make_unique<WholeText>(); };
  return entry;
}

}  // namespace llmkit::tokenizer
