// The decoder-only transformer that all our architectures are settings of:
//   x = embed(tokens) (+ positions);  x = block_l(x) for each layer;  logits = norm(x) Headᵀ
// Canonical parameter names: embedding.token, embedding.position, layers.N.{attention_norm, attention.qkv,
// attention.output, ffn_norm, ffn.gate_up | ffn.up, ffn.down}, final_norm, head.
#pragma once

#include "models/model.h"
#include "nn/block.h"

namespace llmkit::models {

class Decoder : public Model {
 public:
  Decoder(const ModelConfig& config, const ModelOptions& options);

  Tensor hidden(Tape& tape, const TokenBatch& batch) override;
  Tensor head() const override { return parameters_->tensor(head_); }
  std::unique_ptr<DecodeState> new_state() const override;
  void decode(Tape& tape, std::span<const DecodeChunk> chunks, std::span<float> logits) override;

 private:
  std::unique_ptr<nn::Position> position_;
  std::vector<std::unique_ptr<nn::Block>> blocks_;
  std::unique_ptr<nn::Norm> final_norm_;
  nn::Recompute recompute_ = nn::Recompute::none;
  nn::ParameterId tokens_ = nn::kNoParameter, head_ = nn::kNoParameter;
};

}  // namespace llmkit::models
