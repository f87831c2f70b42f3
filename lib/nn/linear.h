// A linear layer's parameters: weight [out, in] and, if asked for, bias [out].
#pragma once

#include <string>

#include "nn/parameters.h"
#include "tensor/ops.h"

namespace llmkit::nn {

struct LinearShape {
  int64_t in = 0, out = 0;
  bool bias = false;
  double deviation = 0.02;       // of the initial weights
  std::vector<int64_t> parts{};  // ParameterSpec::parts
};

class Linear {
 public:
  Linear() = default;
  Linear(ParameterStore& store, const std::string& name, const LinearShape& shape)
      : weight_(
            store.add({name + ".weight", {shape.out, shape.in}, Init::normal, shape.deviation, true, 1, shape.parts})),
        bias_(shape.bias ? store.add({name + ".bias", {shape.out}, Init::zeros, 0, false}) : kNoParameter) {}

  Tensor forward(Tape& tape, const ParameterStore& store, const Tensor& x, const Tensor& residual = {},
                 ops::Activation activation = ops::Activation::none) const {
    return ops::linear(tape, x, store.tensor(weight_), {store.tensor(bias_), residual, activation});
  }

 private:
  ParameterId weight_ = kNoParameter, bias_ = kNoParameter;
};

}  // namespace llmkit::nn
