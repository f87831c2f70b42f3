// COPA: which of two sentences is the cause or the effect (Roemmele, Bejan, Gordon, 2011).
#include "eval/tasks/choices.h"

namespace llmkit::eval {
namespace {

class Copa : public ChoiceTask {
 public:
  bool recognises(std::string_view name) const override { return name.starts_with("copa"); }
  ChoiceQuestion question(const Item& item) const override {
    return choice_question(item, text_field(item, "query"), "choices", "gold");
  }
};

}  // namespace

Entry<Task> copa_task() {
  return {{"copa", "choose the more plausible cause or effect (2 choices)", "Roemmele et al. 2011", {}},
          [](const Values&) -> std::unique_ptr<Task> { return std::make_unique<Copa>(); }};
}

}  // namespace llmkit::eval
