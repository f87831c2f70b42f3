// Locally typical sampling: keep the tokens whose surprise -log p is nearest the entropy H of the distribution, up to a
// mass of p (Meister et al., "Locally typical sampling", 2023).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "decode/sampler.h"

namespace llmkit::decode {
namespace {

class Typical : public Sampler {
 public:
  explicit Typical(double p) : p_(p) {}
  void apply(Candidates& c, const History&) const override {
    c.order();
    std::vector<double> probability = c.probabilities();
    double entropy = 0;
    for (double p : probability) entropy -= p > 0 ? p * std::log(p) : 0;
    std::vector<size_t> rank(c.size());
    std::iota(rank.begin(), rank.end(), size_t{0});
    auto distance = [&](size_t i) {
      return probability[i] > 0 ? std::abs(-std::log(probability[i]) - entropy) : 1e300;
    };
    std::stable_sort(rank.begin(), rank.end(), [&](size_t a, size_t b) { return distance(a) < distance(b); });
    std::vector<Candidate> kept;
    double mass = 0;
    for (size_t i : rank) {
      kept.push_back(c.items()[i]);
      mass += probability[i];
      if (mass >= p_) break;
    }
    c = Candidates(std::move(kept));
  }

 private:
  double p_;
};

}  // namespace

Entry<Sampler> typical_sampler() {
  return {{"typical",
           "keep the tokens of typical surprise up to a mass of p",
           "Meister et al. 2023, arXiv 2202.00666",
           {{"p", ParamType::real, "0.95", "probability mass", 1e-6, 1}}},
          [](const Values& v) -> std::unique_ptr<Sampler> { return std::make_unique<Typical>(v.real("p")); }};
}

}  // namespace llmkit::decode
