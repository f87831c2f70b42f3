// The common shape of a multiple-choice task: one context, several continuations, one of them gold.
#pragma once

#include "eval/task.h"

namespace llmkit::eval {

struct ChoiceQuestion {
  std::string context;
  std::vector<std::string> choices;  // without the delimiter
  int64_t gold = 0;
};

class ChoiceTask : public Task {
 public:
  // `delimiter` stands between context and choice (" " in most tasks).
  explicit ChoiceTask(std::string delimiter = " ") : delimiter_(std::move(delimiter)) {}
  virtual ChoiceQuestion question(const Item& item) const = 0;

  std::vector<Request> requests(const Item& item) const override;
  std::vector<Score> score(const Item& item, const std::vector<Response>& responses) const override;

 private:
  std::string delimiter_;
};

// choices and gold from the fields of a JSON object; checks that gold names a choice.
ChoiceQuestion choice_question(const Item& item, std::string context, std::string_view choices_key,
                               std::string_view gold_key);

}  // namespace llmkit::eval
