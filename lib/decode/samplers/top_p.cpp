// Top-p, nucleus sampling: the smallest set of most probable tokens whose mass reaches p; the token that crosses the
// threshold stays (Holtzman et al., "The curious case of neural text degeneration", 2020).
#include <cmath>

#include "decode/sampler.h"

namespace llmkit::decode {
namespace {

class TopP : public Sampler {
 public:
  explicit TopP(double p) : p_(p) {}
  void apply(Candidates& c, const History&) const override {
    // The nucleus is small as a rule: order a growing head instead of the whole vocabulary. The normaliser is summed
    // in id order before anything moves, so that it does not depend on the ordering.
    double top = c.items()[c.argmax()].logit, sum = 0;
    for (auto& item : c.items()) sum += std::exp(item.logit - top);
    double mass = 0;
    size_t kept = 0;
    for (size_t head = 64; kept < c.size(); head *= 4) {
      c.order(std::min(head, c.size()));
      for (; kept < std::min(head, c.size());) {
        mass += std::exp(c.items()[kept++].logit - top) / sum;
        if (mass >= p_) return c.keep(kept);
      }
    }
  }

 private:
  double p_;
};

}  // namespace

Entry<Sampler> top_p_sampler() {
  return {{"top-p",
           "keep the most probable tokens up to a mass of p (nucleus)",
           "Holtzman et al. 2020, arXiv 1904.09751",
           {{"p", ParamType::real, "0.95", "probability mass", 1e-6, 1}}},
          [](const Values& v) -> std::unique_ptr<Sampler> { return std::make_unique<TopP>(v.real("p")); }};
}

}  // namespace llmkit::decode
