#include "formats/chat.h"

#include <doctest/doctest.h>

#include "io/files.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::formats;

namespace {

// "role: content" lines.
std::string shown(std::string_view line) {
  auto parsed = parse_conversation_line(line);
  if (!parsed) return parsed.refusal().reason;
  std::string out;
  for (auto& m : parsed->messages) out += m.role + ": " + m.content + "\n";
  for (auto& m : parsed->chosen) out += "+" + m.role + ": " + m.content + "\n";
  for (auto& m : parsed->rejected) out += "-" + m.role + ": " + m.content + "\n";
  return out;
}

}  // namespace

TEST_CASE("the four formats become one") {
  CHECK(
      shown(
          R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]})") ==
      "system: s\nuser: u\nassistant: a\n");
  CHECK(
      shown(
          R"({"conversations": [{"from": "human", "value": "u"}, {"from": "gpt", "value": "a"}, {"from": "function_call", "value": "f"}, {"from": "observation", "value": "o"}], "system": "s"})") ==
      "system: s\nuser: u\nassistant: a\nassistant: f\ntool: o\n");
  CHECK(shown(R"({"instruction": "i", "input": "x", "output": "o"})") == "user: i\nx\nassistant: o\n");
  CHECK(shown(R"({"instruction": "i", "input": "", "output": "o", "history": [["a", "b"]]})") ==
        "user: a\nassistant: b\nuser: i\nassistant: o\n");
  CHECK(shown(R"({"question": "q", "answer": "a"})") == "user: q\nassistant: a\n");
  CHECK(shown(R"({"prompt": "q", "completion": "a"})") == "user: q\nassistant: a\n");
}

TEST_CASE("preference data keeps both endings") {
  CHECK(shown(R"({"prompt": "q", "chosen": "a", "rejected": "b"})") == "user: q\n+assistant: a\n-assistant: b\n");
  CHECK(
      shown(
          R"({"conversations": [{"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "a"}, "rejected": {"from": "gpt", "value": "b"}})") ==
      "user: q\n+assistant: a\n-assistant: b\n");
}

TEST_CASE("parts, weights and names are kept") {
  auto parsed = parse_conversation_line(
      R"({"id": 5, "messages": [{"role": "user", "content": [{"type": "text", "value": "a"}, {"type": "text", "text": "b"}], "loss_weight": 0.0}, {"role": "assistant", "content": "c", "weight": 2, "name": "n"}, {"role": "assistant", "content": "d", "train": false}, {"role": "assistant", "content": null, "tool_calls": [{"x": 1}]}]})");
  REQUIRE(parsed);
  CHECK(parsed->id == "5");
  CHECK(parsed->messages[0].content == "ab");
  CHECK(parsed->messages[0].weight == 0.0);
  CHECK(parsed->messages[1].weight == 2.0);
  CHECK(parsed->messages[1].name == "n");
  CHECK(parsed->messages[2].weight == 0.0);
  CHECK_FALSE(parsed->messages[3].weight.has_value());
  CHECK(parsed->messages[3].content == "[{\"x\": 1}]");
  std::string out;
  write_conversation(out, *parsed);
  CHECK(shown(out) == shown(write_json(parse_json(out, "t"))));
  CHECK(parse_conversation_line(out)->messages[1].weight == 2.0);
}

TEST_CASE("what is no conversation is refused with its reason") {
  CHECK(shown("[]") == "unknown-chat-format");
  CHECK(shown("{}") == "unknown-chat-format");
  CHECK(shown("{\"text\": \"x\"}") == "unknown-chat-format");
  CHECK(shown("{\"messages\": []}") == "empty-conversation");
  CHECK(shown("{\"messages\": 5}") == "bad-message");
  CHECK(shown("{\"messages\": [5]}") == "bad-message");
  CHECK(shown(R"({"messages": [{"role": "narrator", "content": "x"}]})") == "bad-message");
  CHECK(shown(R"({"messages": [{"role": "user", "content": {"a": 1}}]})") == "bad-message");
  CHECK(shown(R"({"instruction": "i"})") == "bad-message");
  CHECK(shown("{") == "invalid-json");
  CHECK(shown("{\"a\": \"\xff\"}") == "invalid-utf8");
}

TEST_CASE("files of lines and files of one array are read one after the other") {
  TemporaryFolder scratch;
  io::write_file_atomically(
      scratch.file("a.json"),
      "\n [{\"question\": \"1\", \"answer\": \"x\"}, {\"bad\": 1},\n {\"question\": \"2\", \"answer\": \"x\"}]");
  io::write_file_atomically(
      scratch.file("b.jsonl"),
      "{\"question\": \"3\", \"answer\": \"x\"}\n\nbad\n{\"question\": \"4\", \"answer\": \"x\"}");
  io::write_file_atomically(scratch.file("c.jsonl"), "");
  ConversationReader reader({scratch.file(".")});
  Conversation conversation;
  std::string order;
  while (reader.next(conversation)) order += conversation.messages[0].content;
  CHECK(order == "1234");
  CHECK(reader.bad().total() == 2);
  CHECK(reader.bad().first()[0].find("a.json:2: unknown-chat-format") != std::string::npos);
  CHECK(reader.bad().first()[1].find("b.jsonl:3: invalid-json") != std::string::npos);
}
