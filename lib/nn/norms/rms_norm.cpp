// y = x / √(mean(x²) + ε) · weight (Zhang and Sennrich 2019, equation 4).
#include "nn/norm.h"

namespace llmkit::nn {
namespace {

class RmsNorm : public Norm {
 public:
  explicit RmsNorm(double epsilon) : epsilon_(epsilon) {}
  void declare(ParameterStore& store, const std::string& name, int64_t width) override {
    weight_ = store.add({name + ".weight", {width}, Init::ones, 0, false});
  }
  Tensor forward(Tape& tape, const ParameterStore& store, const Tensor& x) const override {
    return ops::norm(tape, x, store.tensor(weight_), {}, {ops::NormKind::rms, epsilon_});
  }

 private:
  double epsilon_;
  ParameterId weight_ = kNoParameter;
};

}  // namespace

Entry<Norm> norm_rms_norm() {
  return {{"rms-norm",
           "each row divided by its root mean square, then a gain",
           "Zhang, Sennrich: Root mean square layer normalization, 2019",
           {{"epsilon", ParamType::real, "1e-5", "added to the mean square", 0, 1}}},
          [](const Values& v) -> std::unique_ptr<Norm> { return std::make_unique<RmsNorm>(v.real("epsilon")); }};
}

}  // namespace llmkit::nn
