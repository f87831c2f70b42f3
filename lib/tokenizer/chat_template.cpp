#include "tokenizer/chat_template.h"

#include <array>

namespace llmkit::tokenizer {

#define LLMKIT_CHAT_TEMPLATE(name) Entry<ChatTemplate> name##_chat_template();
#include "tokenizer/chat_templates.def"
#undef LLMKIT_CHAT_TEMPLATE

const Registry<ChatTemplate>& chat_templates() {
  static const Registry<ChatTemplate> registry("chat template", {
#define LLMKIT_CHAT_TEMPLATE(name) name##_chat_template(),
#include "tokenizer/chat_templates.def"
#undef LLMKIT_CHAT_TEMPLATE
                                                                });
  return registry;
}

std::string_view recognise_chat_template(std::string_view jinja) {
  struct Sign {
    std::string_view text, name;
  };
  static constexpr std::array signs{Sign{"<|im_start|>", "chatml"},           Sign{"<|start_header_id|>", "llama3"},
                                    Sign{"<start_of_turn>", "gemma"},         Sign{"<|user|>", "zephyr"},
                                    Sign{"'<|' + message['role']", "zephyr"}, Sign{"### Response", "alpaca"}};
  for (auto& sign : signs)
    if (jinja.find(sign.text) != std::string_view::npos) return sign.name;
  return {};
}

bool is_trained(const formats::Message& message) {
  return message.weight ? *message.weight > 0 : message.role == "assistant";
}

ChatTokens encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat, std::span<const formats::Message> messages,
                       bool add_generation_prompt) {
  const TokenizerParts& parts = tokenizer.parts();
  ChatTokens out;
  std::string text;  // of neighbouring pieces that are encoded as one, as in the rendered text
  bool text_trained = false;
  auto append = [&](std::string_view s, bool trained, SpecialText policy) {
    tokenizer.encode(s, out.ids, {.special = policy});
    out.trained.resize(out.ids.size(), trained);
  };
  auto flush = [&] {
    if (!text.empty()) append(text, text_trained, SpecialText::as_text);
    text.clear();
  };
  for (const ChatPiece& piece : chat.render(messages, add_generation_prompt, parts.bos, parts.eos)) {
    if (piece.special) {
      flush();
      append(piece.text, piece.trained, SpecialText::parse);
      continue;
    }
    // No token reaches over the start of the assistant's words: a prompt is a prefix of the conversation, in ids too.
    if (piece.trained != text_trained) flush();
    text_trained = piece.trained;
    text += piece.text;
  }
  flush();
  return out;
}

int32_t end_of_turn_id(const Tokenizer& tokenizer, const ChatTemplate& chat) {
  auto name = chat.end_of_turn();
  auto id = name.empty() ? tokenizer.eos() : tokenizer.token_id(name);
  if (id) return *id;
  throw Error(ErrorParts{"the tokenizer has no token that ends a turn",
                         {},
                         name.empty() ? "an eos token" : std::string(name),
                         {},
                         "fine-tune with llmkit sft, which adds it"});
}

}  // namespace llmkit::tokenizer
