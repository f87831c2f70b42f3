// Alpaca: "### Instruction:" and "### Response:" headings as ordinary text, EOS behind each response.
#include "tokenizer/chat_template.h"

namespace llmkit::tokenizer {
namespace {

class Alpaca : public ChatTemplate {
 public:
  std::vector<ChatPiece> render(std::span<const formats::Message> messages, bool add_generation_prompt,
                                std::string_view, std::string_view eos) const override {
    std::vector<ChatPiece> out;
    for (auto& m : messages) {
      if (m.role == "system") {
        out.push_back({m.content + "\n\n", false, false});
      } else if (m.role == "assistant") {
        bool trained = is_trained(m);
        out.push_back({"### Response:\n", false, false});
        out.push_back({m.content, false, trained});
        out.push_back({std::string(eos), true, trained});
        out.push_back({"\n\n", false, false});
      } else if (m.role == "user") {
        out.push_back({"### Instruction:\n", false, false});
        out.push_back({m.content + "\n\n", false, is_trained(m)});
      } else {
        throw Error(
            ErrorParts{"the alpaca template has no place for this role", {}, "system, user or assistant", m.role, {}});
      }
    }
    if (add_generation_prompt) out.push_back({"### Response:\n", false, false});
    return out;
  }
  std::vector<std::string> special_tokens() const override { return {}; }
  std::string_view end_of_turn() const override { return {}; }
  std::string_view jinja() const override {
    return "{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}"
           "{% elif message['role'] == 'assistant' %}{{ '### Response:\\n' + message['content'] + eos_token + '\\n\\n' "
           "}}"
           "{% else %}{{ '### Instruction:\\n' + message['content'] + '\\n\\n' }}{% endif %}{% endfor %}"
           "{% if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}";
  }
};

}  // namespace

Entry<ChatTemplate> alpaca_chat_template() {
  Entry<ChatTemplate> entry{
      {"alpaca", "### Instruction: … ### Response: … EOS (Stanford Alpaca)", "Taori et al., Stanford Alpaca, 2023"}};
  entry.make = [](const Values&) -> std::unique_ptr<ChatTemplate> { return std::make_unique<Alpaca>(); };
  return entry;
}

}  // namespace llmkit::tokenizer
