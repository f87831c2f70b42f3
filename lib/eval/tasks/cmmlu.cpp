// CMMLU: Chinese multiple choice over 67 subjects, CSV files with Question, A, B, C, D, Answer; the letters are scored
// after the question with its options (Li et al., "CMMLU: Measuring massive multitask language understanding in
// Chinese", 2023).
#include "eval/tasks/choices.h"
#include "eval/tasks/csv.h"

namespace llmkit::eval {
namespace {

class Cmmlu : public ChoiceTask {
 public:
  Cmmlu() : ChoiceTask("") {}
  std::vector<Item> load(const std::string& path) const override { return load_csv(path); }
  bool recognises(std::string_view name) const override { return name.ends_with(".csv"); }
  ChoiceQuestion question(const Item& item) const override {
    std::string context = "以下是关于" + text_field(item, "subject") + "的单项选择题，请直接给出正确答案的选项。\n\n" +
                          text_field(item, "Question") + "\n";
    for (const char* letter : {"A", "B", "C", "D"})
      context += std::string(letter) + ". " + text_field(item, letter) + "\n";
    std::string answer = text_field(item, "Answer");
    if (answer.size() != 1 || answer[0] < 'A' || answer[0] > 'D')
      throw Error({"not a CMMLU item", item.id, "Answer to be A, B, C or D", answer, ""});
    return {context + "答案：", {"A", "B", "C", "D"}, answer[0] - 'A'};
  }
};

}  // namespace

Entry<Task> cmmlu_task() {
  return {{"cmmlu", "Chinese multiple choice, 67 subjects (4 choices)", "Li et al. 2023, arXiv 2306.09212", {}},
          [](const Values&) -> std::unique_ptr<Task> { return std::make_unique<Cmmlu>(); }};
}

}  // namespace llmkit::eval
