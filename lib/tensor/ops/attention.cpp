// Scaled dot-product attention (Vaswani et al. 2017) of a batch of equal-length sequences from a fused qkv matrix;
// the tiled algorithm and its papers: kernels/attention.h. Saved for the backward: qkv, the output, the log-sum-exp.
#include "kernels/attention.h"

#include "tensor/ops.h"

namespace llmkit::ops {
namespace {

template <class T>
struct Call {  // the kernel's view of one attention op
  kernels::AttentionShape<T> shape;
  kernels::AttentionSequence<T>* sequences;
  int64_t count;
};

template <class T>
Call<T> describe(Tape& tape, const Tensor& qkv, const Tensor& y, const AttentionOptions& o, int64_t length, T* lse) {
  int64_t width = qkv.dim(-1), q_width = o.heads * o.head_dim, kv_width = o.kv_heads * o.head_dim;
  Call<T> call{};
  call.shape.heads = o.heads;
  call.shape.kv_heads = o.kv_heads;
  call.shape.head_dim = o.head_dim;
  call.shape.q_stride = call.shape.k_stride = call.shape.v_stride = width;
  call.shape.out_stride = q_width;
  call.shape.scale = static_cast<T>(o.scale);
  call.shape.causal = o.causal;
  call.shape.window = o.window;
  call.shape.dropout = static_cast<T>(o.dropout.rate);
  call.count = o.sequences;
  call.sequences = tape.save<kernels::AttentionSequence<T>>(o.sequences);
  const int32_t* documents = o.documents.empty() ? nullptr : tape.save_copy(o.documents.data(), o.sequences * length);
  const uint64_t* keys = o.dropout.rate > 0 ? dropout_keys(tape, o.dropout) : nullptr;
  if (tape.planning()) return call;
  for (int64_t s = 0; s < o.sequences; ++s) {
    auto* sequence = new (&call.sequences[s]) kernels::AttentionSequence<T>;
    const T* base = qkv.data<T>() + s * length * width;
    sequence->q = base;
    sequence->k = base + q_width;
    sequence->v = base + q_width + kv_width;
    sequence->out = y.data<T>() + s * length * q_width;
    sequence->lse = lse ? lse + s * o.heads * length : nullptr;
    sequence->query_length = sequence->key_length = length;
    if (documents) sequence->query_documents = sequence->key_documents = documents + s * length;
    if (keys) sequence->dropout_key = keys[s];
  }
  return call;
}

template <class T>
void backward(Tape& tape, const Call<T>& call, const Tensor& y, const Tensor& qkv) {
  T* dqkv = tape.gradient_sum<T>(qkv);
  Tape::Scope scratch(tape);
  auto* gradients = tape.save<kernels::AttentionGradient<T>>(call.count);
  if (!dqkv) return;
  for (int64_t s = 0; s < call.count; ++s) {
    const auto& sequence = call.sequences[s];
    T* base = dqkv + (sequence.q - qkv.data<T>());
    gradients[s] = {tape.upstream<T>(y) + (sequence.out - y.data<T>()), base, base + (sequence.k - sequence.q), base + (sequence.v - sequence.q)};
  }
  auto n = static_cast<size_t>(call.count);
  kernels::attention_backward<T>(tape.exec(), call.shape, {call.sequences, n}, {gradients, n});
}

}  // namespace

Tensor attention(Tape& tape, const Tensor& qkv, const AttentionOptions& o) {
  int64_t rows = qkv.rows(), length = rows / o.sequences;
  expect_shape("attention", "qkv", qkv, {o.sequences * length, (o.heads + 2 * o.kv_heads) * o.head_dim});
  Tensor y = tape.output({rows, o.heads * o.head_dim}, qkv.dtype(), {qkv});
  dispatch(qkv.dtype(), [&]<class T>() {
    T* lse = y.needs_grad() ? tape.save<T>(rows * o.heads) : nullptr;
    Call<T> call = describe<T>(tape, qkv, y, o, length, lse);
    if (!tape.planning())
      kernels::attention_forward<T>(tape.exec(), call.shape, {call.sequences, static_cast<size_t>(call.count)});
    tape.record(y, [=](Tape& t) { backward<T>(t, call, y, qkv); });
  });
  return y;
}

}  // namespace llmkit::ops
