#include "nn/block.h"

namespace llmkit::nn {

Block::Block(ParameterStore& store, const std::string& name, const BlockSpec& spec)
    : attention_norm_(norms().make(spec.norm)),
      ffn_norm_(norms().make(spec.norm)),
      attention_(attentions().make(spec.attention_kind)) {
  attention_norm_->declare(store, name + ".attention_norm", spec.attention.hidden);
  attention_->declare(store, name + ".attention", spec.attention);
  ffn_norm_->declare(store, name + ".ffn_norm", spec.attention.hidden);
  feed_forward_ = FeedForward(store, name + ".ffn", spec.feed_forward);
}

Tensor Block::attend(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x,
                     const BatchContext& batch) const {
  Tensor normed = attention_norm_->forward(tape, store, x);
  Tensor h = attention_->forward(tape, store, position, normed, x, batch);
  tape.forget(normed);
  return h;
}

Tensor Block::feed(Tape& tape, const ParameterStore& store, const Tensor& h, const BatchContext& batch) const {
  const FeedForwardShape& shape = feed_forward_.shape();
  Tensor normed = ffn_norm_->forward(tape, store, h);
  Tensor y =
      feed_forward_.forward(tape, store, normed, h, batch.site(shape.output_dropout, shape.layer, Site::ffn_output));
  tape.forget(normed);
  return y;
}

Tensor Block::forward(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x,
                      const BatchContext& batch, Recompute recompute) const {
  auto attention = [this, &store, &position, &batch](Tape& t, const Tensor& in) {
    return attend(t, store, position, in, batch);
  };
  if (recompute == Recompute::block)
    return tape.checkpoint(x, [this, &store, &position, &batch](Tape& t, const Tensor& in) {
      return feed(t, store, attend(t, store, position, in, batch), batch);
    });
  Tensor h = recompute == Recompute::attention ? tape.checkpoint(x, attention) : attention(tape, x);
  if (recompute == Recompute::none) tape.let_go(x);  // the norms keep what the backward needs of x and h
  Tensor y = feed(tape, store, h, batch);
  tape.let_go(h);
  return y;
}

Tensor Block::decode(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x,
                     const DecodeContext& context) const {
  Tensor h = attention_->decode(tape, store, position, attention_norm_->forward(tape, store, x), x, context);
  return feed_forward_.forward(tape, store, ffn_norm_->forward(tape, store, h), h);
}

}  // namespace llmkit::nn
