// WinoGrande: which of two names fits; the same continuation is scored after each filled-in context ("partial
// evaluation", Trinh and Le 2018; Sakaguchi et al., "WinoGrande", 2019). No acc_norm: the continuations are equal.
#include "eval/task.h"

namespace llmkit::eval {
namespace {

class WinoGrande : public Task {
 public:
  bool recognises(std::string_view name) const override { return name.starts_with("winogrande"); }
  std::vector<Request> requests(const Item& item) const override {
    std::vector<Request> out;
    for (auto& context : text_list(item, "context_options"))
      out.push_back({Request::Kind::loglikelihood, context, " " + text_field(item, "continuation"), {}, 0});
    return out;
  }
  std::vector<Score> score(const Item& item, const std::vector<Response>& responses) const override {
    std::vector<Score> all = score_choices(responses, text_list(item, "context_options"), integer_field(item, "gold"));
    std::erase_if(all, [](const Score& s) { return s.metric != "acc"; });
    return all;
  }
};

}  // namespace

Entry<Task> winogrande_task() {
  return {{"winogrande", "which of two names fits the sentence", "Sakaguchi et al. 2019, arXiv 1907.10641", {}},
          [](const Values&) -> std::unique_ptr<Task> { return std::make_unique<WinoGrande>(); }};
}

}  // namespace llmkit::eval
