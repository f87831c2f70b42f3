// Gemma: BOS, then <start_of_turn>user|model\n content <end_of_turn>\n. A system message opens the first user turn.
#include "tokenizer/chat_template.h"

namespace llmkit::tokenizer {
namespace {

class Gemma : public ChatTemplate {
 public:
  std::vector<ChatPiece> render(std::span<const formats::Message> messages, bool add_generation_prompt,
                                std::string_view bos, std::string_view) const override {
    std::vector<ChatPiece> out;
    if (!bos.empty()) out.push_back({std::string(bos), true, false});
    std::string system;
    for (auto& m : messages) {
      if (m.role == "system") {
        if (&m != &messages.front()) throw Error("the gemma template allows a system message at the start only");
        system = m.content + "\n\n";
        continue;
      }
      bool assistant = m.role == "assistant", trained = is_trained(m);
      out.push_back({"<start_of_turn>", true, false});
      out.push_back({(assistant ? "model\n" : m.role + "\n") + std::exchange(system, {}), false, false});
      out.push_back({m.content, false, trained});
      out.push_back({"<end_of_turn>", true, trained});
      out.push_back({"\n", false, false});
    }
    if (add_generation_prompt) {
      out.push_back({"<start_of_turn>", true, false});
      out.push_back({"model\n", false, false});
    }
    return out;
  }
  std::vector<std::string> special_tokens() const override { return {"<start_of_turn>", "<end_of_turn>"}; }
  std::string_view end_of_turn() const override { return "<end_of_turn>"; }
  std::string_view jinja() const override {
    return "{{ bos_token }}{% set ns = namespace(system='') %}{% for message in messages %}{% if message['role'] == "
           "'system' %}"
           "{% set ns.system = message['content'] + '\\n\\n' %}{% else %}{{ '<start_of_turn>' + ('model' if "
           "message['role'] == "
           "'assistant' else message['role']) + '\\n' + ns.system + message['content'] + '<end_of_turn>\\n' }}{% set "
           "ns.system = "
           "'' %}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}";
  }
};

}  // namespace

Entry<ChatTemplate> gemma_chat_template() {
  Entry<ChatTemplate> entry{{"gemma", "<start_of_turn>user … <end_of_turn> (Gemma)", "Gemma team, Gemma, 2024"}};
  entry.make = [](const Values&) -> std::unique_ptr<ChatTemplate> { return std::make_unique<Gemma>(); };
  return entry;
}

}  // namespace llmkit::tokenizer
