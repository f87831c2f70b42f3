// Min-p: a token stays if its probability is at least p times that of the best one (Nguyen et al., "Turning up the
// heat", 2024).
#include <cmath>

#include "decode/sampler.h"

namespace llmkit::decode {
namespace {

class MinP : public Sampler {
 public:
  explicit MinP(double p) : log_p_(std::log(p)) {}
  void apply(Candidates& c, const History&) const override {
    double threshold = c.items()[c.argmax()].logit + log_p_;
    std::erase_if(c.items(), [&](const Candidate& item) { return item.logit < threshold; });
  }

 private:
  double log_p_;
};

}  // namespace

Entry<Sampler> min_p_sampler() {
  return {{"min-p",
           "keep tokens at least p times as probable as the best",
           "Nguyen et al. 2024, arXiv 2407.01082",
           {{"p", ParamType::real, "0.05", "share of the best token's probability", 1e-9, 1}}},
          [](const Values& v) -> std::unique_ptr<Sampler> { return std::make_unique<MinP>(v.real("p")); }};
}

}  // namespace llmkit::decode
