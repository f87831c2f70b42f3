// Cloze tasks: a context and its continuation. acc: every token of the continuation is the model's first choice;
// perplexity: per item, as lm-evaluation-harness reports it for LAMBADA, exp(-mean log p(continuation | context)).
#include "eval/task.h"

namespace llmkit::eval {
namespace {

class Cloze : public Task {
 public:
  bool recognises(std::string_view name) const override {
    return name.find("cloze") != std::string_view::npos || name.starts_with("simple_arithmetic");
  }
  std::vector<Request> requests(const Item& item) const override {
    std::string continuation = text_field(item, "continuation");
    if (!continuation.starts_with(' ')) continuation = " " + continuation;
    return {{Request::Kind::loglikelihood, text_field(item, "context"), continuation, {}, 0}};
  }
  std::vector<Score> score(const Item&, const std::vector<Response>& r) const override {
    return {{"acc", r[0].is_greedy ? 1.0 : 0.0}, {"perplexity", -r[0].logprob}};
  }
};

// LAMBADA: the last word of a passage that needs the whole passage (Paperno et al. 2016; the OpenAI preprocessing).
class Lambada : public Cloze {
 public:
  bool recognises(std::string_view name) const override { return name.starts_with("lambada"); }
};

}  // namespace

Entry<Task> cloze_task() {
  return {{"cloze", "continue each context exactly (fields context, continuation)", "", {}},
          [](const Values&) -> std::unique_ptr<Task> { return std::make_unique<Cloze>(); }};
}

Entry<Task> lambada_task() {
  return {{"lambada", "the last word of a passage", "Paperno et al. 2016, arXiv 1606.06031", {}},
          [](const Values&) -> std::unique_ptr<Task> { return std::make_unique<Lambada>(); }};
}

}  // namespace llmkit::eval
