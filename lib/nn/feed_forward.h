// The per-token network of a block:
//   plain  W_down act(W_up x)                              (Vaswani et al. 2017)
//   gated  W_down (act(W_gate x) ⊙ W_up x)                 (Shazeer 2020); gate and up are one product
#pragma once

#include <string>

#include "nn/batch.h"
#include "nn/linear.h"

namespace llmkit::nn {

struct FeedForwardShape {
  int64_t hidden = 0, intermediate = 0;
  ops::Activation activation = ops::Activation::silu;
  bool gated = true, bias = false;
  double deviation = 0.02, output_deviation = 0.02;
  double output_dropout = 0;
  uint64_t layer = 0;
};

class FeedForward {
 public:
  FeedForward() = default;
  FeedForward(ParameterStore& store, const std::string& name, const FeedForwardShape& shape)
      : shape_(shape),
        up_(store, name + (shape.gated ? ".gate_up" : ".up"),
            {shape.hidden, shape.gated ? 2 * shape.intermediate : shape.intermediate, shape.bias, shape.deviation,
             shape.gated ? std::vector<int64_t>{shape.intermediate, shape.intermediate} : std::vector<int64_t>{}}),
        down_(store, name + ".down", {shape.intermediate, shape.hidden, shape.bias, shape.output_deviation}) {}

  // ffn(x) + residual; `drop` acts on ffn(x).
  Tensor forward(Tape& tape, const ParameterStore& store, const Tensor& x, const Tensor& residual,
                 const ops::DropoutSite& drop = {}) const {
    Tensor inner =
        shape_.gated ? gate(tape, up_.forward(tape, store, x)) : up_.forward(tape, store, x, {}, shape_.activation);
    Tensor y = drop.rate <= 0 ? down_.forward(tape, store, inner, residual)
                              : ops::dropout(tape, down_.forward(tape, store, inner), drop, residual);
    tape.forget(inner);
    return y;
  }

  const FeedForwardShape& shape() const { return shape_; }

 private:
  Tensor gate(Tape& tape, const Tensor& up) const {
    tape.compact(up);
    Tensor inner = ops::glu(tape, up, shape_.activation);
    tape.forget(up);
    return inner;
  }

  FeedForwardShape shape_;
  Linear up_, down_;
};

}  // namespace llmkit::nn
