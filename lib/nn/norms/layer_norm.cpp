// y = (x - mean) / √(var + ε) · weight + bias, var biased (Ba, Kiros and Hinton 2016, equation 3).
#include "nn/norm.h"

namespace llmkit::nn {
namespace {

class LayerNorm : public Norm {
 public:
  explicit LayerNorm(double epsilon) : epsilon_(epsilon) {}
  void declare(ParameterStore& store, const std::string& name, int64_t width) override {
    weight_ = store.add({name + ".weight", {width}, Init::ones, 0, false});
    bias_ = store.add({name + ".bias", {width}, Init::zeros, 0, false});
  }
  Tensor forward(Tape& tape, const ParameterStore& store, const Tensor& x) const override {
    return ops::norm(tape, x, store.tensor(weight_), store.tensor(bias_), {ops::NormKind::layer, epsilon_});
  }

 private:
  double epsilon_;
  ParameterId weight_ = kNoParameter, bias_ = kNoParameter;
};

}  // namespace

Entry<Norm> norm_layer_norm() {
  return {{"layer-norm",
           "mean and variance of each row to 0 and 1, then gain and bias",
           "Ba, Kiros, Hinton: Layer normalization, 2016",
           {{"epsilon", ParamType::real, "1e-5", "added to the variance", 0, 1}}},
          [](const Values& v) -> std::unique_ptr<Norm> { return std::make_unique<LayerNorm>(v.real("epsilon")); }};
}

}  // namespace llmkit::nn
