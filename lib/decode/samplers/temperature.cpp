// Temperature: p_i ∝ exp(z_i / t). t < 1 sharpens, t > 1 flattens (Ackley, Hinton, Sejnowski, 1985).
#include "decode/sampler.h"

namespace llmkit::decode {
namespace {

class Temperature : public Sampler {
 public:
  explicit Temperature(double t) : t_(t) {}
  void apply(Candidates& c, const History&) const override {
    for (auto& item : c.items()) item.logit = static_cast<float>(item.logit / t_);
  }

 private:
  double t_;
};

}  // namespace

Entry<Sampler> temperature_sampler() {
  return {{"temperature",
           "divide the logits by t: below 1 sharper, above 1 flatter",
           "Ackley, Hinton, Sejnowski 1985",
           {{"t", ParamType::real, "1", "temperature", 1e-3, 1e3}}},
          [](const Values& v) -> std::unique_ptr<Sampler> { return std::make_unique<Temperature>(v.real("t")); }};
}

}  // namespace llmkit::decode
