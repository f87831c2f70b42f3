// HellaSwag: which ending follows the context (Zellers et al., "HellaSwag: can a machine really finish your sentence?",
// 2019). The text is cleaned as lm-evaluation-harness does: " [title]" becomes ". ", other bracketed notes go, double
// spaces become one.
#include "eval/tasks/choices.h"

namespace llmkit::eval {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

std::string clean(std::string text) {
  size_t first = text.find_first_not_of(" \t\n");
  text = first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
  replace_all(text, " [title]", ". ");
  for (size_t open = 0; (open = text.find('[', open)) != std::string::npos;) {
    size_t close = text.find(']', open);
    if (close == std::string::npos) break;
    text.erase(open, close - open + 1);
  }
  replace_all(text, "  ", " ");
  return text;
}

class HellaSwag : public ChoiceTask {
 public:
  bool recognises(std::string_view name) const override { return name.starts_with("hellaswag"); }
  ChoiceQuestion question(const Item& item) const override {
    ChoiceQuestion q = choice_question(item, clean(text_field(item, "ctx")), "endings", "label");
    for (auto& choice : q.choices) choice = clean(choice);
    return q;
  }
};

}  // namespace

Entry<Task> hellaswag_task() {
  return {{"hellaswag", "which of four endings follows a description", "Zellers et al. 2019, arXiv 1905.07830", {}},
          [](const Values&) -> std::unique_ptr<Task> { return std::make_unique<HellaSwag>(); }};
}

}  // namespace llmkit::eval
