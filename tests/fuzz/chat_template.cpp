// Any bytes as a line of conversations through every chat template: no control token comes from the text, and what is
// trained on is what the messages say.
#include "tokenizer/chat_template.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  auto conversation = formats::parse_conversation_line({reinterpret_cast<const char*>(data), size});
  if (!conversation) return 0;
  for (auto& entry : tokenizer::chat_templates().entries()) {
    auto chat = tokenizer::chat_templates().make(entry.name);
    tokenizer::TokenizerParts parts = tokenizer::Tokenizer::load("byte").parts();
    for (auto& content : chat->special_tokens()) {
      tokenizer::AddedToken token;
      token.content = content;
      parts.add(token);
    }
    tokenizer::Tokenizer tokenizer(parts);
    try {
      size_t controls = 0, found = 0;
      for (auto& piece : chat->render(conversation->messages, true, "", parts.eos))
        controls += piece.special && !piece.text.empty();
      auto encoded = tokenizer::encode_chat(tokenizer, *chat, conversation->messages, true);
      for (int32_t id : encoded.ids) found += tokenizer.is_special(id);
      if (controls != found || encoded.ids.size() != encoded.trained.size()) std::abort();
    } catch (const Error&) {
    }
  }
  return 0;
}
