#include "nn/block.h"

namespace llmkit::nn {

Block::Block(ParameterStore& store, const std::string& name, const BlockSpec& spec)
    : attention_norm_(norms().make(spec.norm)), ffn_norm_(norms().make(spec.norm)), attention_(attentions().make(spec.attention_kind)) {
  attention_norm_->declare(store, name + ".attention_norm", spec.attention.hidden);
  attention_->declare(store, name + ".attention", spec.attention);
  ffn_norm_->declare(store, name + ".ffn_norm", spec.attention.hidden);
  feed_forward_ = FeedForward(store, name + ".ffn", spec.feed_forward);
}

Tensor Block::forward(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x, const BatchContext& batch) const {
  Tensor h = attention_->forward(tape, store, position, attention_norm_->forward(tape, store, x), x, batch);
  const FeedForwardShape& shape = feed_forward_.shape();
  return feed_forward_.forward(tape, store, ffn_norm_->forward(tape, store, h), h, batch.site(shape.output_dropout, shape.layer, Site::ffn_output));
}

Tensor Block::decode(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x, const DecodeContext& context) const {
  Tensor h = attention_->decode(tape, store, position, attention_norm_->forward(tape, store, x), x, context);
  return feed_forward_.forward(tape, store, ffn_norm_->forward(tape, store, h), h);
}

}  // namespace llmkit::nn
