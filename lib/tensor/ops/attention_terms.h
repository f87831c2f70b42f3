// What an attention op adds within its tiles (kernels/attention_hooks.h), with r = clamp(i - j + offset, 0, rows - 1)
// for query i and key j; offset is 0 where the mask is causal and rows / 2 where not:
//   s_ij += -slope_h (i - j)         ALiBi (Press et al. 2022)
//   s_ij += bias[h, r]               learned bias per head and distance (Raffel et al. 2020, T5)
//   s_ij += scale · q_i·keys[r]      relative keys (Shaw et al. 2018)
//   o_i  += Σ_j p_ij values[r]       relative values (Shaw et al. 2018)
//   q, k turned by their positions before the product (RoPE: Su et al. 2021); the relative keys see q as it came
// Gradients of the tables are summed per (sequence, head) and then added up in order, without atomics.
#pragma once

#include <algorithm>

#include "kernels/attention.h"
#include "tensor/ops.h"

namespace llmkit::ops {

template <class T>
struct AttentionTerms {
  using Tile = kernels::AttentionTile<T>;
  static constexpr int64_t kLanes = kernels::kQueryTile;

  int64_t heads, head_dim, causal;
  T scale;
  const T* slopes;     // [heads]
  const T *cos, *sin;  // [positions, rotary_dim / 2]
  int64_t rotary_dim;
  const T *bias, *keys, *values;  // [heads, rows], [rows, head_dim], [rows, head_dim]
  int64_t bias_rows, key_rows, value_rows;
  T *dbias, *dkeys, *dvalues;  // of each (sequence, head): [rows], [rows, head_dim], [rows, head_dim]
  kernels::AttentionHooks<T> hooks;

  static AttentionTerms& of(void* context) { return *static_cast<AttentionTerms*>(context); }

  void connect() {
    hooks.context = this;
    if (cos) hooks.transform = transform, hooks.transform_backward = transform_backward;
    if (slopes || bias || keys) hooks.add_scores = add_scores;
    if (bias || keys) hooks.scores_backward = scores_backward;
    if (values) hooks.add_values = add_values, hooks.values_dp = values_dp, hooks.values_backward = values_backward;
  }

  int64_t row(const Tile& t, int64_t i, int64_t j, int64_t rows) const {
    const int64_t distance = t.query_position + i - t.key - j + (causal ? 0 : rows / 2);
    return std::clamp<int64_t>(distance, 0, rows - 1);
  }
  T* own(T* sums, const Tile& t, int64_t size) const {
    return sums ? sums + (t.sequence * heads + t.head) * size : nullptr;
  }
  template <class F>
  static void for_pairs(const Tile& t, F f) {
    for (int64_t j = 0; j < t.keys; ++j)
      for (int64_t i = 0; i < t.queries; ++i) f(i, j, j * kLanes + i);
  }

  // y (+)= x turned by ±angle; halves as in ops::rope with rotate_half.
  void turn(T* y, const T* x, int64_t position, T sign, bool add) const {
    const int64_t half = rotary_dim / 2;
    const T *c = cos + position * half, *s = sin + position * half;
    for (int64_t d = 0; d < half; ++d) {
      const T low = x[d] * c[d] - sign * x[d + half] * s[d], high = x[d + half] * c[d] + sign * x[d] * s[d];
      y[d] = add ? y[d] + low : low;
      y[d + half] = add ? y[d + half] + high : high;
    }
    for (int64_t d = rotary_dim; d < head_dim; ++d) y[d] = add ? y[d] + x[d] : x[d];
  }
  static void transform(void* context, const Tile& t, T* q, T* k) {
    const AttentionTerms& a = of(context);
    for (int64_t i = 0; i < t.queries; ++i)
      a.turn(q + i * a.head_dim, t.q + i * t.q_stride, t.query_position + i, 1, false);
    for (int64_t j = 0; j < t.keys; ++j) a.turn(k + j * a.head_dim, t.k + j * t.k_stride, t.key + j, 1, false);
  }
  static void transform_backward(void* context, const Tile& t, const T* dq, const T* dk) {
    const AttentionTerms& a = of(context);
    for (int64_t i = 0; i < t.queries; ++i)
      a.turn(t.dq + i * t.q_stride, dq + i * a.head_dim, t.query_position + i, -1, true);
    for (int64_t j = 0; j < t.keys; ++j) a.turn(t.dk + j * t.k_stride, dk + j * a.head_dim, t.key + j, -1, true);
  }

  static void add_scores(void* context, const Tile& t, T* scores) {
    const AttentionTerms& a = of(context);
    for_pairs(t, [&](int64_t i, int64_t j, int64_t at) {
      T s = a.slopes ? -a.slopes[t.head] * static_cast<T>(t.query_position + i - t.key - j) : T(0);
      if (a.bias) s += a.bias[t.head * a.bias_rows + a.row(t, i, j, a.bias_rows)];
      if (a.keys) {
        const T *q = t.q + i * t.q_stride, *r = a.keys + a.row(t, i, j, a.key_rows) * a.head_dim;
        T dot = 0;
        for (int64_t d = 0; d < a.head_dim; ++d) dot += q[d] * r[d];
        s += a.scale * dot;
      }
      scores[at] += s;
    });
  }
  static void scores_backward(void* context, const Tile& t, const T* ds) {
    const AttentionTerms& a = of(context);
    T *dbias = a.own(a.dbias, t, a.bias_rows), *dkeys = a.own(a.dkeys, t, a.key_rows * a.head_dim);
    for_pairs(t, [&](int64_t i, int64_t j, int64_t at) {
      if (dbias) dbias[a.row(t, i, j, a.bias_rows)] += ds[at];
      if (!a.keys) return;
      const int64_t r = a.row(t, i, j, a.key_rows) * a.head_dim;
      const T by = a.scale * ds[at];
      for (int64_t d = 0; d < a.head_dim; ++d) {
        t.dq[i * t.q_stride + d] += by * a.keys[r + d];
        if (dkeys) dkeys[r + d] += by * t.q[i * t.q_stride + d];
      }
    });
  }
  static void add_values(void* context, const Tile& t, const T* p, T* out) {
    const AttentionTerms& a = of(context);
    for_pairs(t, [&](int64_t i, int64_t j, int64_t at) {
      const T* v = a.values + a.row(t, i, j, a.value_rows) * a.head_dim;
      for (int64_t d = 0; d < a.head_dim; ++d) out[d * kLanes + i] += p[at] * v[d];
    });
  }
  static void values_dp(void* context, const Tile& t, const T* dout, T* dp) {
    const AttentionTerms& a = of(context);
    for_pairs(t, [&](int64_t i, int64_t j, int64_t at) {
      const T* v = a.values + a.row(t, i, j, a.value_rows) * a.head_dim;
      for (int64_t d = 0; d < a.head_dim; ++d) dp[at] += dout[d * kLanes + i] * v[d];
    });
  }
  static void values_backward(void* context, const Tile& t, const T* p, const T* dout) {
    const AttentionTerms& a = of(context);
    T* dvalues = a.own(a.dvalues, t, a.value_rows * a.head_dim);
    if (!dvalues) return;
    for_pairs(t, [&](int64_t i, int64_t j, int64_t at) {
      T* dv = dvalues + a.row(t, i, j, a.value_rows) * a.head_dim;
      for (int64_t d = 0; d < a.head_dim; ++d) dv[d] += p[at] * dout[d * kLanes + i];
    });
  }
};

}  // namespace llmkit::ops
