// Minimal pairs: a model is right when it gives the good sentence a higher probability than the bad one, over the whole
// sentence (Warstadt et al., "BLiMP: the benchmark of linguistic minimal pairs for English", 2020).
#include "eval/task.h"

namespace llmkit::eval {
namespace {

class MinimalPairs : public Task {
 public:
  bool recognises(std::string_view name) const override { return name.find("minimal_pairs") != std::string_view::npos; }
  std::vector<Request> requests(const Item& item) const override {
    return {{Request::Kind::loglikelihood, "", text_field(item, "sentence_good"), {}, 0},
            {Request::Kind::loglikelihood, "", text_field(item, "sentence_bad"), {}, 0}};
  }
  std::vector<Score> score(const Item&, const std::vector<Response>& r) const override {
    return {{"acc", r[0].logprob > r[1].logprob ? 1.0 : 0.0}};
  }
};

// The same over the folder of BLiMP's own files.
class Blimp : public MinimalPairs {
 public:
  bool recognises(std::string_view name) const override {
    return name.ends_with(".jsonl") && name.find("minimal_pairs") == std::string_view::npos;
  }
};

}  // namespace

Entry<Task> minimal_pairs_task() {
  return {{"minimal-pairs",
           "prefer the good sentence of each pair (sentence_good, sentence_bad)",
           "Warstadt et al. 2020, arXiv 1912.00582",
           {}},
          [](const Values&) -> std::unique_ptr<Task> { return std::make_unique<MinimalPairs>(); }};
}

Entry<Task> blimp_task() {
  return {{"blimp",
           "grammatical minimal pairs in English (folder of BLiMP files)",
           "Warstadt et al. 2020, arXiv 1912.00582",
           {}},
          [](const Values&) -> std::unique_ptr<Task> { return std::make_unique<Blimp>(); }};
}

}  // namespace llmkit::eval
