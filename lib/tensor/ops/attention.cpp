// Scaled dot-product attention (Vaswani et al. 2017) of a batch of equal-length sequences from a fused qkv matrix;
// the tiled algorithm and its papers: kernels/attention.h. Saved for the backward: qkv, the output, the log-sum-exp.
// Terms of position within the tiles: ops/attention_terms.h.
#include "kernels/attention.h"

#include <algorithm>

#include "kernels/elementwise.h"
#include "tensor/ops.h"
#include "tensor/ops/attention_terms.h"

namespace llmkit::ops {
namespace {

template <class T>
struct Call {  // the kernel's view of one attention op
  kernels::AttentionShape<T> shape;
  kernels::AttentionSequence<T>* sequences;
  int64_t count;
  AttentionTerms<T>* terms;  // null: none
};

void check_terms(const AttentionOptions& o, int64_t length) {
  if (o.score_bias) expect_shape("attention", "score_bias", o.score_bias, {o.heads, o.score_bias.dim(-1)});
  for (const Tensor& t : {o.key_terms, o.value_terms})
    if (t) expect_shape("attention", "key and value terms", t, {t.dim(0), o.head_dim});
  if (!o.slopes.empty() && static_cast<int64_t>(o.slopes.size()) != o.heads)
    throw Error("attention: one slope per head expected");
  if (o.rotation.cos &&
      (o.rotation.rotary_dim > o.head_dim || o.rotation.rotary_dim % 2 != 0 || o.rotation.positions < length))
    throw Error("attention: rotation tables for " + std::to_string(length) +
                " positions of at most a head's width expected");
}

template <class T>
AttentionTerms<T>* make_terms(Tape& tape, const AttentionOptions& o) {
  if (o.slopes.empty() && !o.rotation.cos && !o.score_bias && !o.key_terms && !o.value_terms) return nullptr;
  auto* terms = tape.save<AttentionTerms<T>>(1);
  T* slopes = o.slopes.empty() ? nullptr : tape.save<T>(o.heads);
  if (tape.planning()) return nullptr;
  *terms = {};
  terms->heads = o.heads;
  terms->head_dim = o.head_dim;
  terms->causal = o.causal;
  terms->scale = static_cast<T>(o.scale);
  if (slopes) std::transform(o.slopes.begin(), o.slopes.end(), slopes, [](double s) { return static_cast<T>(s); });
  terms->slopes = slopes;
  terms->cos = static_cast<const T*>(o.rotation.cos);
  terms->sin = static_cast<const T*>(o.rotation.sin);
  terms->rotary_dim = o.rotation.rotary_dim;
  if (o.score_bias) terms->bias = o.score_bias.data<T>(), terms->bias_rows = o.score_bias.dim(-1);
  if (o.key_terms) terms->keys = o.key_terms.data<T>(), terms->key_rows = o.key_terms.dim(0);
  if (o.value_terms) terms->values = o.value_terms.data<T>(), terms->value_rows = o.value_terms.dim(0);
  terms->connect();
  return terms;
}

template <class T>
void locate(const Call<T>& call, const T* qkv, T* out) {
  const int64_t width = call.shape.q_stride, q_width = call.shape.out_stride;
  for (int64_t s = 0; s < call.count; ++s) {
    auto& sequence = call.sequences[s];
    sequence.q = qkv + s * sequence.query_length * width;
    sequence.k = sequence.q + q_width;
    sequence.v = sequence.k + call.shape.kv_heads * call.shape.head_dim;
    sequence.out = out + s * sequence.query_length * q_width;
  }
}

template <class T>
Call<T> describe(Tape& tape, const Tensor& qkv, const Tensor& y, const AttentionOptions& o, int64_t length, T* lse) {
  int64_t width = qkv.dim(-1), q_width = o.heads * o.head_dim;
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
  call.terms = make_terms<T>(tape, o);
  if (call.terms) call.shape.hooks = &call.terms->hooks;
  if (tape.planning()) return call;
  for (int64_t s = 0; s < o.sequences; ++s) {
    auto* sequence = new (&call.sequences[s]) kernels::AttentionSequence<T>;
    sequence->lse = lse ? lse + s * o.heads * length : nullptr;
    sequence->query_length = sequence->key_length = length;
    sequence->number = s;
    if (documents) sequence->query_documents = sequence->key_documents = documents + s * length;
    if (keys) sequence->dropout_key = keys[s];
  }
  locate(call, qkv.data<T>(), y.data<T>());
  return call;
}

// Tables whose gradients the tiles sum up, per (sequence, head).
struct Tables {
  Tensor bias, keys, values;
};

template <class T>
T* own_sums(Tape& tape, const Tensor& table, int64_t parts, int64_t size) {
  if (!table || !table.needs_grad()) return nullptr;
  T* sums = tape.save<T>(parts * size);
  if (!tape.planning()) kernels::fill<T>(tape.exec(), sums, T(0), parts * size);
  return sums;
}

// table[h mod tables] += Σ of the sums of (sequence, h), in order.
template <class T>
void add_sums(Tape& tape, const Tensor& table, const T* sums, int64_t parts, int64_t size) {
  T* gradient = tape.gradient_sum<T>(table);
  if (!gradient) return;
  const int64_t heads = table.size() / size;  // 1 where all heads share the table
  for (int64_t part = 0; part < parts; ++part)
    for (int64_t i = 0; i < size; ++i) gradient[part % heads * size + i] += sums[part * size + i];
}

template <class T>
void backward(Tape& tape, const Call<T>& call, const Tensor& y, const Tensor& qkv, const Tables& tables) {
  const T* values = tape.value<T>(qkv);
  tape.value<T>(y);
  GradSlot<T> dqkv = tape.gradient<T>(qkv);
  Tape::Scope scratch(tape);
  auto* gradients = tape.save<kernels::AttentionGradient<T>>(call.count);
  const int64_t parts = call.count * call.shape.heads;
  auto size = [](const Tensor& table, bool per_head) { return table ? per_head ? table.dim(-1) : table.size() : 0; };
  const int64_t bias_size = size(tables.bias, true), key_size = size(tables.keys, false),
                value_size = size(tables.values, false);
  T* dbias = own_sums<T>(tape, tables.bias, parts, bias_size);
  T* dkeys = own_sums<T>(tape, tables.keys, parts, key_size);
  T* dvalues = own_sums<T>(tape, tables.values, parts, value_size);
  if (!tape.planning()) {
    if (!dqkv) dqkv.data = tape.save<T>(qkv.size());  // only the tables are learned
    locate(call, values, y.data<T>());
    for (int64_t s = 0; s < call.count; ++s) {
      const auto& sequence = call.sequences[s];
      T* base = dqkv.data + (sequence.q - values);
      gradients[s] = {tape.upstream<T>(y) + (sequence.out - y.data<T>()), base, base + (sequence.k - sequence.q),
                      base + (sequence.v - sequence.q), !dqkv.accumulate};
    }
    if (call.terms) call.terms->dbias = dbias, call.terms->dkeys = dkeys, call.terms->dvalues = dvalues;
    auto n = static_cast<size_t>(call.count);
    kernels::attention_backward<T>(tape.exec(), call.shape, {call.sequences, n}, {gradients, n});
  }
  tape.forget(qkv);
  add_sums<T>(tape, tables.bias, dbias, parts, bias_size);
  add_sums<T>(tape, tables.keys, dkeys, parts, key_size);
  add_sums<T>(tape, tables.values, dvalues, parts, value_size);
}

}  // namespace

Tensor attention(Tape& tape, const Tensor& qkv, const AttentionOptions& o) {
  int64_t rows = qkv.rows(), length = rows / o.sequences;
  expect_shape("attention", "qkv", qkv, {o.sequences * length, (o.heads + 2 * o.kv_heads) * o.head_dim});
  check_terms(o, length);
  Tensor y =
      tape.compact_output({rows, o.heads * o.head_dim}, qkv.dtype(), {qkv, o.score_bias, o.key_terms, o.value_terms});
  dispatch(qkv.dtype(), [&]<class T>() {
    T* lse = y.needs_grad() ? tape.save<T>(rows * o.heads) : nullptr;
    Call<T> call = describe<T>(tape, qkv, y, o, length, lse);
    if (!tape.planning())
      kernels::attention_forward<T>(tape.exec(), call.shape, {call.sequences, static_cast<size_t>(call.count)});
    tape.compact(y);
    const Tables tables{o.score_bias, o.key_terms, o.value_terms};
    tape.record(y, [=](Tape& t) { backward<T>(t, call, y, qkv, tables); });
  });
  return y;
}

}  // namespace llmkit::ops
