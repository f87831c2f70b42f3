// Multi-head softmax attention (Vaswani et al. 2017) with grouped keys and values (Ainslie et al. 2023) and an optional
// sliding window (Beltagy et al. 2020). One product makes queries, keys and values side by side.
#include <cmath>

#include "kernels/attention.h"
#include "nn/attention.h"
#include "nn/kv_cache.h"
#include "nn/linear.h"

namespace llmkit::nn {
namespace {

class SoftmaxAttention : public Attention {
 public:
  void declare(ParameterStore& store, const std::string& name, const AttentionShape& shape) override {
    shape_ = shape;
    int64_t width = (shape.heads + 2 * shape.kv_heads) * shape.head_dim;
    int64_t q_rows = shape.heads * shape.head_dim, kv_rows = shape.kv_heads * shape.head_dim;
    qkv_ = Linear(store, name + ".qkv",
                  {shape.hidden, width, shape.qkv_bias, shape.deviation, {q_rows, kv_rows, kv_rows}});
    output_ = Linear(store, name + ".output",
                     {shape.heads * shape.head_dim, shape.hidden, shape.output_bias, shape.output_deviation});
  }

  Tensor forward(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x,
                 const Tensor& residual, const BatchContext& batch) const override {
    Tensor qkv = position.turn(tape, qkv_.forward(tape, store, x), shape_.heads + shape_.kv_heads, batch.positions);
    ops::AttentionOptions options;
    options.sequences = batch.sequences;
    options.heads = shape_.heads;
    options.kv_heads = shape_.kv_heads;
    options.head_dim = shape_.head_dim;
    options.scale = scale();
    options.window = shape_.window;
    options.documents = batch.documents;
    options.dropout = batch.site(shape_.dropout, shape_.layer, Site::attention);
    tape.compact(qkv);
    Tensor mixed = ops::attention(tape, qkv, options);
    tape.forget(qkv);
    ops::DropoutSite drop = batch.site(shape_.output_dropout, shape_.layer, Site::attention_output);
    Tensor y = drop.rate <= 0 ? output_.forward(tape, store, mixed, residual)
                              : ops::dropout(tape, output_.forward(tape, store, mixed), drop, residual);
    tape.forget(mixed);
    return y;
  }

  std::unique_ptr<LayerState> new_state(DType dtype) const override {
    return std::make_unique<KvCache>(shape_.kv_heads * shape_.head_dim, dtype);
  }

  Tensor decode(Tape& tape, const ParameterStore& store, const Position& position, const Tensor& x,
                const Tensor& residual, const DecodeContext& context) const override {
    Tensor qkv = position.turn(tape, qkv_.forward(tape, store, x), shape_.heads + shape_.kv_heads, context.positions);
    tape.compact(qkv);
    Tensor mixed = tape.output({x.rows(), shape_.heads * shape_.head_dim}, x.dtype(), false);
    dispatch(x.dtype(), [&]<class T>() { attend<T>(tape, qkv, mixed, context); });
    tape.compact(mixed);
    return output_.forward(tape, store, mixed, residual);
  }

 private:
  double scale() const { return 1.0 / std::sqrt(static_cast<double>(shape_.head_dim)); }

  template <class T>
  void attend(Tape& tape, const Tensor& qkv, const Tensor& mixed, const DecodeContext& context) const {
    int64_t width = qkv.dim(-1), q_width = shape_.heads * shape_.head_dim, kv_width = shape_.kv_heads * shape_.head_dim;
    kernels::AttentionShape<T> shape;
    shape.heads = shape_.heads;
    shape.kv_heads = shape_.kv_heads;
    shape.head_dim = shape_.head_dim;
    shape.q_stride = width;
    shape.k_stride = shape.v_stride = kv_width;
    shape.out_stride = q_width;
    shape.scale = static_cast<T>(scale());
    shape.window = shape_.window;
    auto* sequences = tape.save<kernels::AttentionSequence<T>>(static_cast<int64_t>(context.parts.size()));
    int64_t row = 0;
    for (size_t i = 0; i < context.parts.size(); ++i) {
      auto [layer_state, rows] = context.parts[i];
      auto& cache = static_cast<KvCache&>(*layer_state);
      auto* sequence = new (&sequences[i]) kernels::AttentionSequence<T>;
      sequence->q = qkv.data<T>() + row * width;
      sequence->query_start = cache.length();
      cache.append<T>(sequence->q + q_width, sequence->q + q_width + kv_width, rows, width);
      sequence->k = cache.keys<T>();
      sequence->v = cache.values<T>();
      sequence->out = mixed.data<T>() + row * q_width;
      sequence->query_length = rows;
      sequence->key_length = cache.length();
      row += rows;
    }
    kernels::attention_forward<T>(tape.exec(), shape, {sequences, context.parts.size()});
  }

  AttentionShape shape_;
  Linear qkv_, output_;
};

}  // namespace

Entry<Attention> attention_softmax() {
  return {{"softmax",
           "multi-head softmax attention with grouped keys and values",
           "Vaswani et al.: Attention is all you need, 2017",
           {},
           "decode: exact"},
          [](const Values&) -> std::unique_ptr<Attention> { return std::make_unique<SoftmaxAttention>(); }};
}

}  // namespace llmkit::nn
