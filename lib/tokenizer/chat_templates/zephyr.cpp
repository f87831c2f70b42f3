// Zephyr (TinyLlama chat): <|role|>\n content EOS \n, where <|role|> is ordinary text and only EOS a control token.
#include "tokenizer/chat_template.h"

namespace llmkit::tokenizer {
namespace {

class Zephyr : public ChatTemplate {
 public:
  std::vector<ChatPiece> render(std::span<const formats::Message> messages, bool add_generation_prompt,
                                std::string_view, std::string_view eos) const override {
    std::vector<ChatPiece> out;
    for (auto& m : messages) {
      bool trained = is_trained(m);
      out.push_back({"<|" + m.role + "|>\n", false, false});
      out.push_back({m.content, false, trained});
      out.push_back({std::string(eos), true, trained});
      out.push_back({"\n", false, false});
    }
    if (add_generation_prompt) out.push_back({"<|assistant|>\n", false, false});
    return out;
  }
  std::vector<std::string> special_tokens() const override { return {}; }
  std::string_view end_of_turn() const override { return {}; }
  std::string_view jinja() const override {
    return "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + eos_token + '\\n' "
           "}}"
           "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}";
  }
};

}  // namespace

Entry<ChatTemplate> zephyr_chat_template() {
  Entry<ChatTemplate> entry{{"zephyr", "<|role|> … EOS, roles as ordinary text (Zephyr, TinyLlama)",
                             "Tunstall et al., Zephyr: direct distillation of LM alignment, 2023"}};
  entry.make = [](const Values&) -> std::unique_ptr<ChatTemplate> { return std::make_unique<Zephyr>(); };
  return entry;
}

}  // namespace llmkit::tokenizer
