// Multiple choice over any JSON Lines file with the fields query, choices and gold (an index).
#include "eval/tasks/choices.h"

namespace llmkit::eval {
namespace {

class MultipleChoice : public ChoiceTask {
 public:
  bool recognises(std::string_view name) const override { return name.find("common_sense") != std::string_view::npos; }
  ChoiceQuestion question(const Item& item) const override {
    return choice_question(item, text_field(item, "query"), "choices", "gold");
  }
};

}  // namespace

Entry<Task> multiple_choice_task() {
  return {{"multiple-choice", "any JSON Lines with query, choices and gold (an index)", "", {}},
          [](const Values&) -> std::unique_ptr<Task> { return std::make_unique<MultipleChoice>(); }};
}

}  // namespace llmkit::eval
