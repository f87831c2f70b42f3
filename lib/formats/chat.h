// Conversations for supervised fine-tuning and chat. Four line formats become one form:
//   messages  {"messages": [{"role": "user", "content": "…", "weight": 1}, …]}        (content may be a list of parts)
//   ShareGPT  {"conversations": [{"from": "human", "value": "…"}, …], "system": "…"}
//   Alpaca    {"instruction": "…", "input": "…", "output": "…", "system": "…", "history": [["…", "…"], …]}
//   pairs     {"question"|"prompt"|"query": "…", "answer"|"response"|"completion": "…"}
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/bad_records.h"
#include "formats/json.h"
#include "io/input.h"
#include "io/line_reader.h"

namespace llmkit::formats {

struct Message {
  std::string role;  // system, user, assistant, tool (what a tool answered)
  std::string content;
  std::string name{};              // of the speaker or tool, may be empty
  std::optional<double> weight{};  // of its tokens in the loss, where the data says one; it wins over the role's rule
};

struct Conversation {
  std::string id;
  std::vector<Message> messages;
  std::vector<Message> chosen, rejected;  // of preference data: the two endings
};

// Reasons: unknown-chat-format, bad-message, empty-conversation.
Result<Conversation> parse_conversation(const Json& value);
Result<Conversation> parse_conversation_line(std::string_view line);  // also invalid-json, invalid-utf8

// Conversations of many inputs: JSON lines, or one JSON array a file (as the first byte says); plain or compressed.
class ConversationReader {
 public:
  explicit ConversationReader(const std::vector<std::string>& inputs, io::InputLimits limits = {});
  ~ConversationReader();
  bool next(Conversation& conversation);  // the next good one; bad ones are counted
  const BadRecords& bad() const { return bad_; }
  const std::vector<std::string>& inputs() const { return inputs_; }

 private:
  bool open_next();
  void refuse(int64_t number, const Refusal& refusal);
  std::vector<std::string> inputs_;
  io::InputLimits limits_;
  BadRecords bad_;
  size_t next_input_ = 0;
  std::unique_ptr<io::InputStream> input_;
  std::unique_ptr<io::LineReader> lines_;
  JsonArray array_;  // of the open file, where it is one JSON array
  size_t at_ = 0;
  bool is_array_ = false;
};

void write_conversation(std::string& out, const Conversation& conversation);  // one line in the messages format

}  // namespace llmkit::formats
