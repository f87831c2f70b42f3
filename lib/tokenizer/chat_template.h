// Chat templates: how a conversation becomes one text with control tokens. A template renders to pieces, so that what
// is trained on is known exactly, and so that text from a user can never become a control token. One file in
// chat_templates/ and one line in chat_templates.def each.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.h"
#include "formats/chat.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::tokenizer {

struct ChatPiece {
  std::string text;
  bool special = false;  // the template's own control token
  bool trained = false;  // a target in fine-tuning: what the assistant says and the end of its turn
};

// Whether a message is trained on: as its own weight says (above zero), else if the assistant speaks.
bool is_trained(const formats::Message& message);

class ChatTemplate {
 public:
  virtual ~ChatTemplate() = default;

  // The conversation; with `add_generation_prompt` followed by the opening of an assistant's turn. Throws Error for
  // roles that the template has no place for. `bos` and `eos` are the tokenizer's, for templates that use them.
  virtual std::vector<ChatPiece> render(std::span<const formats::Message> messages, bool add_generation_prompt,
                                        std::string_view bos, std::string_view eos) const = 0;

  // Control tokens that the tokenizer has to have.
  virtual std::vector<std::string> special_tokens() const = 0;
  // The token that ends a turn, or "" where that is the tokenizer's eos.
  virtual std::string_view end_of_turn() const = 0;
  // The same for Hugging Face's apply_chat_template.
  virtual std::string_view jinja() const = 0;
};

const Registry<ChatTemplate>& chat_templates();

// The name of the template in a tokenizer's chat_template (Jinja), by the control tokens it writes; "" if none is
// known.
std::string_view recognise_chat_template(std::string_view jinja);

struct ChatTokens {
  std::vector<int32_t> ids;
  std::vector<bool> trained;  // of each id: is it a target
};

ChatTokens encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat, std::span<const formats::Message> messages,
                       bool add_generation_prompt);

// The id at which generation of a turn ends; throws Error where the tokenizer lacks it.
int32_t end_of_turn_id(const Tokenizer& tokenizer, const ChatTemplate& chat);

}  // namespace llmkit::tokenizer
