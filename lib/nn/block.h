// A pre-norm transformer block (Xiong et al. 2020):  h = x + attention(norm(x)),  y = h + ffn(norm(h)).
// What its backward computes again instead of keeping it, besides norms and activations: nothing, the attention half,
// or all but its input.
#pragma once

#include <memory>
#include <string>

#include "nn/attention.h"
#include "nn/feed_forward.h"
#include "nn/norm.h"

namespace llmkit::nn {

struct BlockSpec {
  std::string norm = "rms-norm:epsilon=1e-5";  // of norms.def
  std::string attention_kind = "softmax";      // of attentions.def
  AttentionShape attention;
  FeedForwardShape feed_forward;
};

enum class Recompute : uint8_t { none, attention, block };

class Block {
 public:
  Block(ParameterStore& store, const std::string& name, const BlockSpec& spec);

  // `batch` and what it points at must live as long as the step where something is recomputed.
  Tensor forward(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x,
                 const BatchContext& batch, Recompute recompute = Recompute::none) const;
  Tensor decode(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x,
                const DecodeContext& context) const;
  std::unique_ptr<LayerState> new_state(DType dtype) const { return attention_->new_state(dtype); }

 private:
  Tensor attend(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x,
                const BatchContext& batch) const;
  Tensor feed(Tape& tape, const ParameterStore& store, const Tensor& h, const BatchContext& batch) const;

  std::unique_ptr<Norm> attention_norm_, ffn_norm_;
  std::unique_ptr<Attention> attention_;
  FeedForward feed_forward_;
};

}  // namespace llmkit::nn
