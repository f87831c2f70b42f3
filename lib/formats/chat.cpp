#include "formats/chat.h"

#include <utility>

namespace llmkit::formats {
namespace {

// Data in the field names the same speaker in many ways.
constexpr std::pair<std::string_view, std::string_view> kRoles[] = {
    {"system", "system"},       {"developer", "system"},        {"user", "user"},         {"human", "user"},
    {"assistant", "assistant"}, {"gpt", "assistant"},           {"bot", "assistant"},     {"model", "assistant"},
    {"chatgpt", "assistant"},   {"function_call", "assistant"}, {"tool", "tool"},         {"observation", "tool"},
    {"function", "tool"},       {"tool_call", "assistant"},     {"tool_response", "tool"}};

std::string_view role_of(std::string_view written) {
  for (auto& [name, role] : kRoles)
    if (name == written) return role;
  return {};
}

// A string, or a list of parts {"type": "text", "text" or "value": "…"}; false for anything else.
bool read_content(const Json& value, std::string& out) {
  if (value.is_string()) {
    out = value.as_string();
    return true;
  }
  if (value.is_null()) return true;
  if (!value.is_array()) return false;
  for (auto& part : value.as_array()) {
    const Json* text = part.find("text") ? part.find("text") : part.find("value");
    if (part.is_string()) {
      out += part.as_string();
    } else if (text && text->is_string()) {
      out += text->as_string();
    } else {
      return false;
    }
  }
  return true;
}

const Json* first_of(const Json& object, std::initializer_list<std::string_view> keys) {
  for (auto key : keys)
    if (auto* found = object.find(key); found && !found->is_null()) return found;
  return nullptr;
}

std::string text_or_empty(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  return value && value->is_string() ? value->as_string() : std::string();
}

std::optional<Refusal> read_message(const Json& value, std::vector<Message>& out) {
  const Json* role = first_of(value, {"role", "from"});
  const Json* content = first_of(value, {"content", "value"});
  if (!role || !role->is_string()) return Refusal{"bad-message", "a message without a role"};
  Message message;
  message.role = role_of(role->as_string());
  if (message.role.empty()) return Refusal{"bad-message", "unknown role '" + role->as_string() + "'"};
  if (content && !read_content(*content, message.content))
    return Refusal{"bad-message", "content is neither text nor a list of texts"};
  if (auto* calls = value.find("tool_calls"); calls && calls->size() > 0) {
    if (!message.content.empty()) message.content += '\n';
    message.content += write_json(*calls);
  }
  message.name = text_or_empty(value, "name");
  if (auto* weight = first_of(value, {"weight", "loss_weight"})) {
    if (!weight->is_number()) return Refusal{"bad-message", "weight is no number"};
    message.weight = weight->as_real();
  } else if (auto* train = value.find("train"); train && train->is_bool()) {
    message.weight = train->as_bool() ? 1.0 : 0.0;
  }
  out.push_back(std::move(message));
  return {};
}

std::optional<Refusal> read_messages(const Json& list, std::vector<Message>& out) {
  if (!list.is_array()) return Refusal{"bad-message", "the messages are no list"};
  for (auto& entry : list.as_array())
    if (auto refusal = read_message(entry, out)) return refusal;
  return {};
}

// An ending of preference data: one message, a list, or plain text of the assistant.
std::optional<Refusal> read_ending(const Json& value, std::vector<Message>& out) {
  if (value.is_string()) {
    out.push_back({"assistant", value.as_string()});
    return {};
  }
  return value.is_array() ? read_messages(value, out) : read_message(value, out);
}

bool read_alpaca(const Json& value, Conversation& out) {
  const Json* output = first_of(value, {"output", "response"});
  if (!output || !output->is_string()) return false;
  if (auto* history = value.find("history"); history && history->is_array()) {
    for (auto& turn : history->as_array()) {
      if (!turn.is_array() || turn.size() != 2 || !turn.as_array()[0].is_string() || !turn.as_array()[1].is_string())
        return false;
      out.messages.push_back({"user", turn.as_array()[0].as_string()});
      out.messages.push_back({"assistant", turn.as_array()[1].as_string()});
    }
  }
  std::string prompt = text_or_empty(value, "instruction"), input = text_or_empty(value, "input");
  if (input.empty()) input = text_or_empty(value, "context");  // Dolly's name for it
  if (!input.empty()) prompt += (prompt.empty() ? "" : "\n") + input;
  out.messages.push_back({"user", std::move(prompt)});
  out.messages.push_back({"assistant", output->as_string()});
  return true;
}

std::optional<Refusal> read_pair(const Json& value, Conversation& out) {
  const Json* prompt = first_of(value, {"question", "prompt", "query"});
  const Json* answer = first_of(value, {"answer", "response", "completion"});
  if (prompt && prompt->is_array() && value.has("chosen")) return read_messages(*prompt, out.messages);
  if (!prompt || !prompt->is_string() || !(value.has("chosen") || (answer && answer->is_string())))
    return Refusal{"unknown-chat-format", "no messages, conversations, instruction or question"};
  out.messages.push_back({"user", prompt->as_string()});
  if (answer && answer->is_string()) out.messages.push_back({"assistant", answer->as_string()});
  return {};
}

}  // namespace

Result<Conversation> parse_conversation(const Json& value) {
  if (!value.is_object()) return Refusal{"unknown-chat-format", "no JSON object"};
  Conversation out;
  if (auto* id = first_of(value, {"id"})) out.id = id->is_string() ? id->as_string() : write_json(*id);
  if (std::string system = text_or_empty(value, "system"); !system.empty())
    out.messages.push_back({"system", std::move(system)});
  std::optional<Refusal> refusal;
  if (auto* list = first_of(value, {"messages", "conversations", "conversation"})) {
    refusal = read_messages(*list, out.messages);
  } else if (value.has("instruction") && !value.has("chosen")) {
    if (!read_alpaca(value, out))
      refusal = Refusal{"bad-message", "instruction without output, or a history that is no list of pairs"};
  } else {
    refusal = read_pair(value, out);
  }
  if (auto* chosen = value.find("chosen"); chosen && !refusal) refusal = read_ending(*chosen, out.chosen);
  if (auto* rejected = value.find("rejected"); rejected && !refusal) refusal = read_ending(*rejected, out.rejected);
  if (refusal) return *refusal;
  if (out.messages.empty()) return Refusal{"empty-conversation", "no message"};
  return out;
}

Result<Conversation> parse_conversation_line(std::string_view line) {
  try {
    return parse_conversation(parse_json(line, "line"));
  } catch (const Error& error) {
    if (!is_valid_utf8(line)) return Refusal{"invalid-utf8", "bytes that are no UTF-8"};
    return Refusal{"invalid-json", error.parts().what};
  }
}

void write_conversation(std::string& out, const Conversation& conversation) {
  out += '{';
  if (!conversation.id.empty()) {
    out += "\"id\": ";
    append_json_string(out, conversation.id);
    out += ", ";
  }
  out += "\"messages\": [";
  for (auto& message : conversation.messages) {
    if (out.back() != '[') out += ", ";
    out += "{\"role\": ";
    append_json_string(out, message.role);
    out += ", \"content\": ";
    append_json_string(out, message.content);
    if (!message.name.empty()) {
      out += ", \"name\": ";
      append_json_string(out, message.name);
    }
    if (message.weight) out.append(", \"weight\": ").append(write_json(Json(*message.weight)));
    out += '}';
  }
  out += "]}\n";
}

}  // namespace llmkit::formats
