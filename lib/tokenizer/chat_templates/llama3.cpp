// Llama 3: <|begin_of_text|>, then <|start_header_id|>role<|end_header_id|>\n\n content without outer white space
// <|eot_id|>.
#include "tokenizer/chat_template.h"

namespace llmkit::tokenizer {
namespace {

std::string trimmed(std::string_view s) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  size_t begin = s.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return std::string(s.substr(begin, s.find_last_not_of(kSpace) + 1 - begin));
}

class Llama3Chat : public ChatTemplate {
 public:
  std::vector<ChatPiece> render(std::span<const formats::Message> messages, bool add_generation_prompt,
                                std::string_view, std::string_view) const override {
    std::vector<ChatPiece> out{{"<|begin_of_text|>", true, false}};
    auto header = [&](const std::string& role) {
      out.push_back({"<|start_header_id|>", true, false});
      out.push_back({role, false, false});
      out.push_back({"<|end_header_id|>", true, false});
      out.push_back({"\n\n", false, false});
    };
    for (auto& m : messages) {
      bool trained = is_trained(m);
      header(m.role);
      out.push_back({trimmed(m.content), false, trained});
      out.push_back({"<|eot_id|>", true, trained});
    }
    if (add_generation_prompt) header("assistant");
    return out;
  }
  std::vector<std::string> special_tokens() const override {
    return {"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"};
  }
  std::string_view end_of_turn() const override { return "<|eot_id|>"; }
  std::string_view jinja() const override {
    return "{{ '<|begin_of_text|>' }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + "
           "'<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}{% if "
           "add_generation_prompt "
           "%}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}";
  }
};

}  // namespace

Entry<ChatTemplate> llama3_chat_template() {
  Entry<ChatTemplate> entry{{"llama3", "<|start_header_id|>role<|end_header_id|> … <|eot_id|> (Llama 3)",
                             "Grattafiori et al., The Llama 3 herd of models, 2024"}};
  entry.make = [](const Values&) -> std::unique_ptr<ChatTemplate> { return std::make_unique<Llama3Chat>(); };
  return entry;
}

}  // namespace llmkit::tokenizer
