// ChatML (OpenAI, Qwen, SmolLM): <|im_start|>role\n content <|im_end|>\n. The end of the assistant's turn is a target,
// the header and the newline behind a turn are not.
#include "tokenizer/chat_template.h"

namespace llmkit::tokenizer {
namespace {

class ChatMl : public ChatTemplate {
 public:
  std::vector<ChatPiece> render(std::span<const formats::Message> messages, bool add_generation_prompt,
                                std::string_view, std::string_view) const override {
    std::vector<ChatPiece> out;
    for (auto& m : messages) {
      bool trained = is_trained(m);
      out.push_back({"<|im_start|>", true, false});
      out.push_back({m.role + "\n", false, false});
      out.push_back({m.content, false, trained});
      out.push_back({"<|im_end|>", true, trained});
      out.push_back({"\n", false, false});
    }
    if (add_generation_prompt) {
      out.push_back({"<|im_start|>", true, false});
      out.push_back({"assistant\n", false, false});
    }
    return out;
  }
  std::vector<std::string> special_tokens() const override { return {"<|im_start|>", "<|im_end|>"}; }
  std::string_view end_of_turn() const override { return "<|im_end|>"; }
  std::string_view jinja() const override {
    return "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + "
           "'<|im_end|>' + "
           "'\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
  }
};

}  // namespace

Entry<ChatTemplate> chatml_chat_template() {
  Entry<ChatTemplate> entry{{"chatml", "<|im_start|>role … <|im_end|> (Qwen, SmolLM)", ""}};
  entry.make = [](const Values&) -> std::unique_ptr<ChatTemplate> { return std::make_unique<ChatMl>(); };
  return entry;
}

}  // namespace llmkit::tokenizer
