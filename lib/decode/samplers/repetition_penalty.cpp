// Repetition penalty: the logit of every token already seen, in the prompt or the output, is divided by p when positive
// and multiplied by p when negative (Keskar et al., "CTRL", 2019, section 4.1; the sign rule is Hugging Face's).
#include <algorithm>

#include "decode/sampler.h"

namespace llmkit::decode {
namespace {

class RepetitionPenalty : public Sampler {
 public:
  explicit RepetitionPenalty(float p) : p_(p) {}
  void apply(Candidates& c, const History& history) const override {
    std::vector<int32_t> seen(history.prompt.begin(), history.prompt.end());
    seen.insert(seen.end(), history.generated.begin(), history.generated.end());
    std::sort(seen.begin(), seen.end());
    for (auto& item : c.items()) {
      if (std::binary_search(seen.begin(), seen.end(), item.id))
        item.logit = item.logit < 0 ? item.logit * p_ : item.logit / p_;
    }
    c = Candidates(std::move(c.items()));  // the order is no longer known
  }

 private:
  float p_;
};

}  // namespace

Entry<Sampler> repetition_penalty_sampler() {
  return {{"repetition-penalty",
           "make tokens that occurred already less probable",
           "Keskar et al. 2019, arXiv 1909.05858",
           {{"p", ParamType::real, "1.1", "penalty; 1 is none", 1e-3, 1e3}}},
          [](const Values& v) -> std::unique_ptr<Sampler> {
            return std::make_unique<RepetitionPenalty>(static_cast<float>(v.real("p")));
          }};
}

}  // namespace llmkit::decode
