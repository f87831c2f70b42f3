// ARC-easy: grade-school science questions; the choices are scored as answers to "Question: …\nAnswer:" (Clark et al.,
// "Think you have solved question answering?", 2018).
#include "eval/tasks/choices.h"

namespace llmkit::eval {
namespace {

class ArcEasy : public ChoiceTask {
 public:
  bool recognises(std::string_view name) const override {
    return name.starts_with("arc_easy") || name.starts_with("arc-easy");
  }
  ChoiceQuestion question(const Item& item) const override {
    std::string query = text_field(item, "query");
    if (!query.starts_with("Question: ")) query = "Question: " + query;
    return choice_question(item, query + "\nAnswer:", "choices", "gold");
  }
};

}  // namespace

Entry<Task> arc_easy_task() {
  return {{"arc-easy", "grade-school science questions (4 choices)", "Clark et al. 2018, arXiv 1803.05457", {}},
          [](const Values&) -> std::unique_ptr<Task> { return std::make_unique<ArcEasy>(); }};
}

}  // namespace llmkit::eval
