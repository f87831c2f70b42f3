// Attention layers: projections, positions, mixing of tokens, output projection, and the state that cached decoding
// keeps. attentions.def lists the kinds; each owns its state.
#pragma once

#include <memory>
#include <string>

#include "base/registry.h"
#include "nn/batch.h"
#include "nn/parameters.h"
#include "nn/position.h"

namespace llmkit::nn {

struct AttentionShape {
  int64_t hidden = 0, heads = 0, kv_heads = 0, head_dim = 0;
  int64_t window = 0;  // > 0: tokens seen, itself included
  bool qkv_bias = false, output_bias = false;
  double deviation = 0.02, output_deviation = 0.02;  // of the initial weights
  double dropout = 0, output_dropout = 0;
  uint64_t layer = 0;
};

class Attention {
 public:
  virtual ~Attention() = default;
  virtual void declare(ParameterStore& store, const std::string& name, const AttentionShape& shape) = 0;
  // attention(x) + residual; x, residual [rows, hidden].
  virtual Tensor forward(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x,
                         const Tensor& residual, const BatchContext& batch) const = 0;
  virtual std::unique_ptr<LayerState> new_state(DType dtype) const = 0;
  // The same for rows that continue the sequences in `context`, whose states are appended to.
  virtual Tensor decode(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x,
                        const Tensor& residual, const DecodeContext& context) const = 0;
};

const Registry<Attention>& attentions();

}  // namespace llmkit::nn
