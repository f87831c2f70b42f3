// Generate-until exact match: the greedy continuation of `context`, up to a stop string, equals `answer` after both are
// trimmed. The answer may be a list of accepted texts.
#include "eval/task.h"

namespace llmkit::eval {
namespace {

std::string trimmed(const std::string& text) {
  size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

class ExactMatch : public Task {
 public:
  explicit ExactMatch(const Values& v) : max_tokens_(v.integer("max-tokens")) {}
  bool recognises(std::string_view name) const override {
    return name.find("exact_match") != std::string_view::npos || name.starts_with("svamp");
  }
  std::vector<Request> requests(const Item& item) const override {
    return {{Request::Kind::generate, text_field(item, "context"), "", {"\n"}, max_tokens_}};
  }
  std::vector<Score> score(const Item& item, const std::vector<Response>& r) const override {
    for (auto& answer : text_list(item, "answer"))
      if (trimmed(answer) == trimmed(r[0].text)) return {{"exact_match", 1.0}};
    return {{"exact_match", 0.0}};
  }

 private:
  int64_t max_tokens_;
};

}  // namespace

Entry<Task> exact_match_task() {
  return {{"exact-match",
           "generate until a line end and compare (fields context, answer)",
           "",
           {{"max-tokens", ParamType::integer, "32", "tokens generated at most", 1, 1e6}}},
          [](const Values& v) -> std::unique_ptr<Task> { return std::make_unique<ExactMatch>(v); }};
}

}  // namespace llmkit::eval
