// The lanes of a vector are queries, everything is kept transposed: Qᵀ[D][64] is made once a query tile, then
//   Sᵀ[keys][64] = K Qᵀ,  softmax runs down the columns without any horizontal step,  Oᵀ[D][64] += Vᵀ Pᵀ,
// so that K and V are read where they lie, by broadcast.
#pragma once

#include <algorithm>

#include "kernels/attention_table.h"
#include "kernels/dropout_impl.h"
#include "kernels/small_product.h"

namespace llmkit::kernels {

template <class V, int kRows, int kVectors>
struct AttentionImpl {
  using T = typename V::T;
  using R = typename V::R;
  using Product = SmallProduct<V, kRows, kVectors>;
  using Shape = AttentionShape<T>;
  using Sequence = AttentionSequence<T>;
  static constexpr int64_t kQ = kQueryTile, kK = kKeyTile;
  static constexpr int64_t kFewQueries = 4;
  static constexpr T kInfinity = std::numeric_limits<T>::infinity();

  // Keys that some query of positions [first, last] sees.
  struct Range {
    int64_t begin, end;
  };
  static Range visible_keys(const Shape& shape, const Sequence& s, int64_t first, int64_t last) {
    Range r{0, s.key_length};
    if (shape.causal) r.end = std::min(r.end, last + 1);
    if (shape.window > 0) r.begin = std::max<int64_t>(0, first - shape.window + 1);
    return r;
  }

  // One tile of queries × keys.
  using Tile = AttentionTile<T>;
  using Hooks = AttentionHooks<T>;
  static Tile make_tile(const Shape& shape, const Sequence& s, int64_t head, int64_t query, int64_t queries,
                        int64_t key) {
    Tile t;
    t.sequence = s.number;
    t.head = head;
    t.kv_head = head / (shape.heads / shape.kv_heads);
    t.query = query;
    t.queries = queries;
    t.query_position = s.query_start + query;
    t.q = s.q + query * shape.q_stride + head * shape.head_dim;
    t.q_stride = shape.q_stride;
    t.k_stride = shape.k_stride;
    move_to(t, shape, s, key);
    return t;
  }
  static void move_to(Tile& t, const Shape& shape, const Sequence& s, int64_t key) {
    t.key = key;
    t.keys = std::min(kK, s.key_length - key);
    t.k = s.k + key * shape.k_stride + t.kv_head * shape.head_dim;
  }
  // Keys of a causal tile that start to be seen within it: query lane q sees the keys below q - ahead + 1.
  struct Causal {
    int64_t ahead = -kQ - kK;
    Causal(const Shape& shape, const Sequence& s, const Tile& t) {
      if (shape.causal) ahead = t.key - (s.query_start + t.query);
    }
    bool partial(const Tile& t) const { return t.keys - 1 + ahead > 0; }
    int64_t first_lane(int64_t key) const { return std::clamp<int64_t>(key + ahead, 0, kQ) / V::kWidth * V::kWidth; }
    int64_t keys_below(int64_t lane, const Tile& t) const { return std::clamp<int64_t>(lane - ahead, 0, t.keys); }
  };
  static bool needs_mask(const Shape& shape, const Sequence& s, const Tile& t) {
    const int64_t first = s.query_start + t.query, last = first + t.queries - 1;
    return s.query_documents || (shape.causal && t.key + t.keys - 1 > first) ||
           (shape.window > 0 && t.key <= last - shape.window);
  }
  // Hidden pairs of Sᵀ become -inf, of those that are looked at.
  static void mask_diagonal(const Causal& causal, const Tile& t, T* scores) {
    for (int64_t q = 0; q < kQ; q += V::kWidth) {
      const int64_t end = causal.keys_below(q + V::kWidth, t);
      for (int64_t j = causal.keys_below(q + 1, t); j < end; ++j) {
        T* row = scores + j * kQ;
        for (int64_t i = q; i < q + V::kWidth; ++i) row[i] = i < j + causal.ahead ? -kInfinity : row[i];
      }
    }
  }
  static void mask(const Shape& shape, const Sequence& s, const Tile& t, T* scores) {
    alignas(64) int32_t position[kQ];
    for (int64_t q = 0; q < kQ; ++q) position[q] = static_cast<int32_t>(s.query_start + t.query + q);
    const int32_t* documents = s.query_documents ? s.query_documents + t.query : nullptr;
    for (int64_t j = 0; j < t.keys; ++j) {
      const auto key = static_cast<int32_t>(t.key + j);
      const int32_t latest = shape.causal ? key : INT32_MIN;  // positions before it do not see the key
      const int64_t end = shape.window > 0 ? int64_t{key} + shape.window : INT32_MAX;
      const auto after = static_cast<int32_t>(std::min<int64_t>(end, INT32_MAX));  // nor do positions from here on
      T* row = scores + j * kQ;
      for (int64_t q = 0; q < kQ; ++q) row[q] = position[q] < latest || position[q] >= after ? -kInfinity : row[q];
      if (documents) {
        const int32_t own = s.key_documents[key];
        for (int64_t q = 0; q < t.queries; ++q) row[q] = documents[q] != own ? -kInfinity : row[q];
      }
    }
  }

  // out[D][kQ] = factor · rowsᵀ, zero beyond `queries`.
  static void transpose_in(T* out, const T* rows, int64_t stride, int64_t queries, int64_t dim, T factor) {
    const R by = V::set1(factor);
    for (int64_t q = 0; q < kQ; q += V::kWidth) {
      for (int64_t d = 0; d < dim; d += V::kWidth) {
        const int64_t count = std::min<int64_t>(V::kWidth, dim - d);
        R block[V::kWidth];
        for (int64_t i = 0; i < V::kWidth; ++i) {
          const T* row = rows + (q + i) * stride + d;
          block[i] =
              q + i >= queries ? V::zero() : V::mul(by, count == V::kWidth ? V::load(row) : V::load_n(row, count));
        }
        V::transpose(block);
        for (int64_t i = 0; i < count; ++i) V::store(out + (d + i) * kQ + q, block[i]);
      }
    }
  }

  static constexpr int64_t kPart = 3 * kRows;  // rows of a product that share what they leave out

  // Lanes from q on see the keys below it, if any.
  static int64_t seen_by(const Shape& shape, const Causal& causal, const Tile& t, int64_t q) {
    return shape.hooks ? t.keys : causal.keys_below(q + V::kWidth, t);
  }

  // What a product fetches beside its work: up to two lists of rows.
  struct Ahead {
    RowsAhead<T> first, second;
  };

  // out[keys][kQ] = rows · lanes[D][kQ]; what no query sees is left as it is, or 0.
  static void key_product(const Causal& causal, const Tile& t, int64_t dim, const T* rows, int64_t stride,
                          const T* lanes, T* out, bool clear, const Ahead& ahead) {
    if (!causal.partial(t)) {
      return Product::run(
          {t.keys, kQ, dim, rows, stride, 1, lanes, kQ, out, kQ, false, nullptr, {ahead.first, ahead.second}});
    }
    for (int64_t j = 0; j < t.keys; j += kPart) {
      const int64_t lane = causal.first_lane(j), count = std::min(kPart, t.keys - j);
      for (int64_t i = j; clear && i < j + count; ++i) std::fill(out + i * kQ, out + i * kQ + lane, T(0));
      Product::run({count,
                    kQ - lane,
                    dim,
                    rows + j * stride,
                    stride,
                    1,
                    lanes + lane,
                    kQ,
                    out + j * kQ + lane,
                    kQ,
                    false,
                    nullptr,
                    {ahead.first.share(j, j + count, t.keys), ahead.second.share(j, j + count, t.keys)}});
    }
  }
  // out[keys][D] (+)= pairs[keys][kQ] · rows[queries][D]
  static void query_sum(const Causal& causal, const Tile& t, int64_t dim, const T* pairs, const T* rows, int64_t stride,
                        T* out, int64_t out_stride, bool accumulate, const RowsAhead<T>& ahead) {
    const int64_t part = causal.partial(t) ? kPart : t.keys;
    for (int64_t j = 0; j < t.keys; j += part) {
      const int64_t lane = std::min(causal.first_lane(j), t.queries), count = std::min(part, t.keys - j);
      Product::run({count,
                    dim,
                    t.queries - lane,
                    pairs + j * kQ + lane,
                    kQ,
                    1,
                    rows + lane * stride,
                    stride,
                    out + j * out_stride,
                    out_stride,
                    accumulate,
                    nullptr,
                    {ahead.share(j, j + count, t.keys), {}}});
    }
  }

  // factors[keys][kQ] of the dropout mask.
  static void dropout_factors(const Shape& shape, const Sequence& s, const Tile& t, int64_t head, T* factors) {
    const uint32_t threshold = dropout_threshold(static_cast<double>(shape.dropout));
    const T keep = 1 / (1 - shape.dropout);
    alignas(64) T row[kK];
    for (int64_t q = 0; q < t.queries; ++q) {
      const uint64_t name = static_cast<uint64_t>(head) << 32 | static_cast<uint64_t>(s.query_start + t.query + q);
      DropoutKernels<V>::factors(s.dropout_key, name, static_cast<uint64_t>(t.key / kK), threshold, keep, row);
      for (int64_t j = 0; j < t.keys; ++j) factors[j * kQ + q] = row[j];
    }
    for (int64_t j = 0; j < t.keys; ++j) {
      for (int64_t q = t.queries; q < kQ; ++q) factors[j * kQ + q] = 0;
    }
  }

  // Queries and keys as a hook turned them for a pair of tiles.
  struct Turned {
    alignas(64) T q[kQ * kMaxHeadDim], k[kK * kMaxHeadDim];
    alignas(64) T dq[kQ * kMaxHeadDim], dk[kK * kMaxHeadDim];
  };
  // Rows of q and k that the products read, and their strides.
  struct Rows {
    const T *q, *k;
    int64_t q_stride, k_stride;
  };
  static Rows rows_of(const Shape& shape, const Tile& t, Turned* turned) {
    if (!turned) return {t.q, t.k, t.q_stride, t.k_stride};
    shape.hooks->transform(shape.hooks->context, t, turned->q, turned->k);
    return {turned->q, turned->k, shape.head_dim, shape.head_dim};
  }
  static bool turns(const Shape& shape) { return shape.hooks && shape.hooks->transform; }

  // Sᵀ of a tile: masked scores. q_transposed is made here where a hook turns the queries.
  static Rows scores(const Shape& shape, const Sequence& s, const Tile& t, Turned* turned, T* q_transposed, T* out,
                     const Ahead& ahead) {
    const Rows rows = rows_of(shape, t, turned);
    if (turned) transpose_in(q_transposed, rows.q, rows.q_stride, t.queries, shape.head_dim, shape.scale);
    const Causal causal(shape, s, t);
    key_product(causal, t, shape.head_dim, rows.k, rows.k_stride, q_transposed, out, shape.hooks != nullptr, ahead);
    if (shape.hooks && shape.hooks->add_scores) shape.hooks->add_scores(shape.hooks->context, t, out);
    if (needs_mask(shape, s, t)) {
      if (shape.hooks || shape.window > 0 || s.query_documents) {
        mask(shape, s, t, out);
      } else {
        mask_diagonal(causal, t, out);
      }
    }
    return rows;
  }

  static void forward_tile(const Shape& shape, const Sequence& s, int64_t head, int64_t begin) {
    if (turns(shape)) {
      forward_turned(shape, s, head, begin);
    } else {
      forward_tile(shape, s, head, begin, nullptr);
    }
  }
  // Apart, so that only this one's stack holds the turned rows.
  [[gnu::noinline]] static void forward_turned(const Shape& shape, const Sequence& s, int64_t head, int64_t begin) {
    Turned turned;
    forward_tile(shape, s, head, begin, &turned);
  }

  static void forward_tile(const Shape& shape, const Sequence& s, int64_t head, int64_t begin, Turned* turned) {
    if (s.query_length - begin <= kFewQueries && shape.dropout == 0 && !shape.hooks) {
      for (int64_t i = begin; i < s.query_length; ++i) forward_query(shape, s, head, i);
      return;
    }
    alignas(64) T q_transposed[kMaxHeadDim * kQ];
    alignas(64) T out[kMaxHeadDim * kQ];
    alignas(64) T p[kK * kQ];
    alignas(64) T factors[kK * kQ];
    alignas(64) T top[kQ], total[kQ], alpha[kQ];
    const int64_t dim = shape.head_dim, kv_head = head / (shape.heads / shape.kv_heads);
    const int64_t queries = std::min(kQ, s.query_length - begin);
    Tile t = make_tile(shape, s, head, begin, queries, 0);
    const Range keys = visible_keys(shape, s, s.query_start + begin, s.query_start + begin + queries - 1);
    const int64_t first_key = keys.begin / kK * kK;
    if (!turned) transpose_in(q_transposed, t.q, t.q_stride, queries, dim, shape.scale);
    std::fill(out, out + dim * kQ, T(0));
    std::fill(top, top + kQ, -kInfinity);
    std::fill(total, total + kQ, T(0));
    for (int64_t key = first_key; key < keys.end; key += kK) {
      move_to(t, shape, s, key);
      const Causal causal(shape, s, t);
      const T* v = s.v + key * shape.v_stride + kv_head * dim;
      const int64_t more = std::clamp<int64_t>(keys.end - key - kK, 0, kK);  // keys of the next tile
      const RowsAhead<T> next_k{t.k + kK * shape.k_stride, shape.k_stride, more, dim};
      const RowsAhead<T> next_q{t.q + kQ * shape.q_stride, shape.q_stride,
                                key == first_key ? std::clamp<int64_t>(s.query_length - begin - kQ, 0, kQ) : 0, dim};
      const bool last = key + kK >= keys.end;
      const T* to = s.out + begin * shape.out_stride + head * dim;
      scores(shape, s, t, turned, q_transposed, p,
             {{v, shape.v_stride, t.keys, dim}, {to, shape.out_stride, last ? queries : 0, dim}});
      for (int64_t q = 0; q < kQ; q += V::kWidth)
        softmax_column(p + q, seen_by(shape, causal, t, q), top + q, total + q, alpha + q);
      if (shape.dropout > 0) {
        dropout_factors(shape, s, t, head, factors);
        for (int64_t q = 0; q < kQ; q += V::kWidth) {
          for (int64_t i = q; i < seen_by(shape, causal, t, q) * kQ; i += kQ)
            V::store(p + i, V::mul(V::load(p + i), V::load(factors + i)));
        }
      }
      const int64_t lanes = causal.partial(t) ? V::kWidth : kQ;
      for (int64_t q = 0; q < kQ; q += lanes) {
        const int64_t seen = causal.keys_below(q + lanes, t);
        Product::run({dim,
                      lanes,
                      seen,
                      v,
                      1,
                      shape.v_stride,
                      p + q,
                      kQ,
                      out + q,
                      kQ,
                      true,
                      alpha + q,
                      {next_k.share(q, q + lanes, kQ), next_q.share(q, q + lanes, kQ)}});
      }
      if (shape.hooks && shape.hooks->add_values) shape.hooks->add_values(shape.hooks->context, t, p, out);
    }
    finish(shape, s, head, begin, queries, out, top, total);
  }

  // One step of the online softmax on a vector of queries: p[j] = e^{s_j - max}; total and max are carried on, alpha
  // is what the sums so far must be multiplied by.
  static LLMKIT_INLINE void softmax_column(T* p, int64_t keys, T* top, T* total, T* alpha) {
    const R before = V::load(top);
    R best = before;
    for (int64_t j = 0; j < keys; ++j) best = V::max(best, V::load(p + j * kQ));
    // No visible key so far: any finite shift gives p = 0.
    const R shift = V::select(V::less(best, V::set1(std::numeric_limits<T>::lowest())), V::zero(), best);
    R sum = V::zero();
    for (int64_t j = 0; j < keys; ++j) {
      const R e = V::exp(V::sub(V::load(p + j * kQ), shift));
      V::store(p + j * kQ, e);
      sum = V::add(sum, e);
    }
    const R a = V::exp(V::sub(before, shift));
    V::store(alpha, a);
    V::store(total, V::fma(V::load(total), a, sum));
    V::store(top, best);
  }

  // One query, as in cached decoding: the lanes are keys for the scores and elements of v for the sum. Every element
  // goes through the same chain of operations as in a whole tile, so the bits are the same.
  static void forward_query(const Shape& shape, const Sequence& s, int64_t head, int64_t query) {
    alignas(64) T q[kMaxHeadDim], out[kMaxHeadDim], p[kK];
    const int64_t dim = shape.head_dim, kv_head = head / (shape.heads / shape.kv_heads);
    const int64_t position = s.query_start + query;
    const T* from = s.q + query * shape.q_stride + head * dim;
    for (int64_t d = 0; d < dim; ++d) q[d] = shape.scale * from[d];
    std::fill(out, out + dim, T(0));
    T top = -kInfinity, total = 0;
    const Range keys = visible_keys(shape, s, position, position);
    for (int64_t key = keys.begin / kK * kK; key < keys.end; key += kK) {
      const Tile t = make_tile(shape, s, head, query, 1, key);
      const T* k = s.k + key * shape.k_stride + kv_head * dim;
      for (int64_t j = 0; j < t.keys; j += V::kWidth)
        key_scores(p + j, q, k + j * shape.k_stride, shape.k_stride, t.keys - j, dim);
      if (needs_mask(shape, s, t)) {
        for (int64_t j = 0; j < t.keys; ++j) p[j] = visible(shape, s, query, key + j) ? p[j] : -kInfinity;
      }
      const T before = top;
      for (int64_t j = 0; j < t.keys; ++j) top = p[j] > top ? p[j] : top;
      const T shift = top < std::numeric_limits<T>::lowest() ? T(0) : top;
      for (int64_t j = 0; j < kK; j += V::kWidth) V::store(p + j, V::exp(V::sub(V::load(p + j), V::set1(shift))));
      T sum = 0;
      for (int64_t j = 0; j < t.keys; ++j) sum += p[j];
      const R alpha = V::exp(V::set1(before - shift));
      alignas(64) T lane[V::kWidth];
      V::store(lane, V::fma(V::set1(total), alpha, V::set1(sum)));
      total = lane[0];
      const T* v = s.v + key * shape.v_stride + kv_head * dim;
      for_vectors<V>(dim, [&](int64_t d, auto lanes) LLMKIT_INLINE_LAMBDA {
        R value = V::mul(load<V>(out + d, lanes), alpha);
        for (int64_t j = 0; j < t.keys; ++j)
          value = V::fma(V::set1(p[j]), load<V>(v + j * shape.v_stride + d, lanes), value);
        store<V>(out + d, value, lanes);
      });
    }
    const T inverse = total > 0 ? 1 / total : T(0);
    T* row = s.out + query * shape.out_stride + head * dim;
    for (int64_t d = 0; d < dim; ++d) row[d] = out[d] * inverse;
    if (s.lse) s.lse[head * s.query_length + query] = total > 0 ? top + std::log(total) : -kInfinity;
  }

  static bool visible(const Shape& shape, const Sequence& s, int64_t query, int64_t key) {
    const int64_t position = s.query_start + query;
    return (!shape.causal || key <= position) && (shape.window <= 0 || key > position - shape.window) &&
           (!s.query_documents || s.query_documents[query] == s.key_documents[key]);
  }

  // scores[j] = q·k_j for a vector of keys, `keys` of which exist.
  static LLMKIT_INLINE void key_scores(T* scores, const T* q, const T* k, int64_t k_stride, int64_t keys, int64_t dim) {
    R sum = V::zero();
    for (int64_t d = 0; d < dim; d += V::kWidth) {
      const int64_t count = std::min<int64_t>(V::kWidth, dim - d);
      R block[V::kWidth];
      for (int64_t j = 0; j < V::kWidth; ++j) {
        const T* row = k + j * k_stride + d;
        block[j] = j >= keys ? V::zero() : count == V::kWidth ? V::load(row) : V::load_n(row, count);
      }
      V::transpose(block);
      for (int64_t i = 0; i < count; ++i) sum = V::fma(block[i], V::set1(q[d + i]), sum);
    }
    V::store(scores, sum);
  }

  static void finish(const Shape& shape, const Sequence& s, int64_t head, int64_t begin, int64_t queries, const T* out,
                     const T* top, const T* total) {
    const int64_t dim = shape.head_dim;
    for (int64_t q = 0; q < queries; q += V::kWidth) {
      R inverse[V::kWidth];
      const int64_t rows = std::min<int64_t>(V::kWidth, queries - q);
      for (int64_t i = 0; i < rows; ++i) {
        inverse[i] = V::set1(total[q + i] > 0 ? 1 / total[q + i] : T(0));
        if (s.lse)
          s.lse[head * s.query_length + begin + q + i] =
              total[q + i] > 0 ? top[q + i] + std::log(total[q + i]) : -kInfinity;
      }
      for (int64_t d = 0; d < dim; d += V::kWidth) {
        const int64_t count = std::min<int64_t>(V::kWidth, dim - d);
        R block[V::kWidth];
        for (int64_t i = 0; i < V::kWidth; ++i) block[i] = i < count ? V::load(out + (d + i) * kQ + q) : V::zero();
        V::transpose(block);
        for (int64_t i = 0; i < rows; ++i) {
          T* row = s.out + (begin + q + i) * shape.out_stride + head * dim + d;
          const R x = V::mul(block[i], inverse[i]);
          if (count == V::kWidth) {
            V::store(row, x);
          } else {
            V::store_n(row, x, count);
          }
        }
      }
    }
  }

  // With P, dPᵀ = V dOᵀ and δ_q = dO_q·O_q:  dSᵀ = Pᵀ (dPᵀ - δ),  dQ += dS K,  dK += dSᵀ Q,  dV += Pᵀ dO.
  static void backward_head(const Shape& shape, const Sequence& s, const AttentionGradient<T>& g, int64_t kv_head) {
    if (turns(shape)) {
      backward_turned(shape, s, g, kv_head);
    } else {
      backward_head(shape, s, g, kv_head, nullptr);
    }
  }
  [[gnu::noinline]] static void backward_turned(const Shape& shape, const Sequence& s, const AttentionGradient<T>& g,
                                                int64_t kv_head) {
    Turned turned;
    backward_head(shape, s, g, kv_head, &turned);
  }

  static void clear_rows(T* rows, int64_t stride, int64_t count, int64_t dim) {
    for (int64_t i = 0; i < count; ++i) std::fill(rows + i * stride, rows + i * stride + dim, T(0));
  }
  static void clear_keys(const Shape& shape, const AttentionGradient<T>& g, int64_t kv_head, int64_t begin,
                         int64_t end) {
    const int64_t dim = shape.head_dim;
    clear_rows(g.dk + begin * shape.k_stride + kv_head * dim, shape.k_stride, end - begin, dim);
    clear_rows(g.dv + begin * shape.v_stride + kv_head * dim, shape.v_stride, end - begin, dim);
  }

  static void backward_head(const Shape& shape, const Sequence& s, const AttentionGradient<T>& g, int64_t kv_head,
                            Turned* turned) {
    alignas(64) T q_transposed[kMaxHeadDim * kQ];
    alignas(64) T dout_transposed[kMaxHeadDim * kQ];
    alignas(64) T p[kK * kQ];
    alignas(64) T ds[kK * kQ];
    alignas(64) T factors[kK * kQ];
    alignas(64) T lse[kQ], delta[kQ];
    const int64_t dim = shape.head_dim, group = shape.heads / shape.kv_heads;
    const Hooks* hooks = shape.hooks;
    int64_t written = g.overwrite ? 0 : s.key_length;  // keys before it have their gradients begun
    for (int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      for (int64_t begin = 0; begin < s.query_length; begin += kQ) {
        const int64_t queries = std::min(kQ, s.query_length - begin);
        Tile t = make_tile(shape, s, head, begin, queries, 0);
        t.dq = g.dq + begin * shape.q_stride + head * dim;
        const T* dout = g.dout + begin * shape.out_stride + head * dim;
        const T* out = s.out + begin * shape.out_stride + head * dim;
        if (!turned) transpose_in(q_transposed, t.q, t.q_stride, queries, dim, shape.scale);
        transpose_in(dout_transposed, dout, shape.out_stride, queries, dim, 1);
        for (int64_t i = 0; i < kQ; ++i) {
          // A query that sees nothing, or none at all, has p = e^{s - ∞} = 0.
          const T l = i < queries ? s.lse[head * s.query_length + begin + i] : kInfinity;
          lse[i] = l == -kInfinity ? kInfinity : l;
          delta[i] = i < queries ? row_dot(dout + i * shape.out_stride, out + i * shape.out_stride, dim) : T(0);
        }
        const Range keys = visible_keys(shape, s, s.query_start + begin, s.query_start + begin + queries - 1);
        const int64_t first_key = keys.begin / kK * kK;
        // What is not to be accumulated is begun by the first product that meets it, or cleared for a hook to add to.
        if (g.overwrite && (hooks || first_key >= keys.end)) clear_rows(t.dq, shape.q_stride, queries, dim);
        if (written < first_key) clear_keys(shape, g, kv_head, written, first_key);
        written = std::max(written, first_key);
        // Fetched meanwhile: the next tile of keys, and beside the first one the next tile of queries.
        const int64_t later = std::clamp<int64_t>(s.query_length - begin - kQ, 0, kQ);
        auto next_queries = [&](const T* rows, int64_t stride, int64_t key) {
          return RowsAhead<T>{rows + kQ * stride, stride, key == first_key ? later : 0, dim};
        };
        for (int64_t key = first_key; key < keys.end; key += kK) {
          move_to(t, shape, s, key);
          t.dk = g.dk + key * shape.k_stride + kv_head * dim;
          const T* v = s.v + key * shape.v_stride + kv_head * dim;
          T* dv = g.dv + key * shape.v_stride + kv_head * dim;
          const bool begins_q = g.overwrite && !hooks && key == first_key, begins_k = key >= written && !hooks;
          if (key >= written && hooks) clear_keys(shape, g, kv_head, key, key + t.keys);
          written = std::max(written, key + t.keys);
          const int64_t more = std::clamp<int64_t>(keys.end - key - kK, 0, kK);
          auto next_keys = [&](const T* rows, int64_t stride) {
            return RowsAhead<T>{rows + kK * stride, stride, more, dim};
          };
          const Rows rows = scores(shape, s, t, turned, q_transposed, p,
                                   {next_keys(t.k, shape.k_stride), next_queries(t.q, shape.q_stride, key)});
          const Causal causal(shape, s, t);
          key_product(causal, t, dim, v, shape.v_stride, dout_transposed, ds, hooks != nullptr,
                      {next_keys(v, shape.v_stride), next_queries(dout, shape.out_stride, key)});
          if (hooks && hooks->values_dp) hooks->values_dp(hooks->context, t, dout_transposed, ds);
          const bool drop = shape.dropout > 0;
          if (drop) dropout_factors(shape, s, t, head, factors);
          const bool hooked = hooks && hooks->scores_backward;
          for (int64_t q = 0; q < kQ; q += V::kWidth)
            score_gradients(p + q, ds + q, drop ? factors + q : nullptr, seen_by(shape, causal, t, q), t.keys,
                            V::load(lse + q), V::load(delta + q), hooked ? T(1) : shape.scale);
          if (hooks && hooks->values_backward) hooks->values_backward(hooks->context, t, p, dout_transposed);
          if (hooked) {
            hooks->scores_backward(hooks->context, t, ds);
            for (int64_t i = 0; i < t.keys * kQ; i += V::kWidth)
              V::store(ds + i, V::mul(V::load(ds + i), V::set1(shape.scale)));
          }
          query_sum(causal, t, dim, p, dout, shape.out_stride, dv, shape.v_stride, !begins_k,
                    next_keys(dv, shape.v_stride));
          T* dq = turned ? turned->dq : t.dq;
          T* dk = turned ? turned->dk : t.dk;
          const int64_t q_stride = rows.q_stride, k_stride = rows.k_stride;
          const int64_t part = causal.partial(t) ? kPart : queries;
          const RowsAhead<T> next_out = next_queries(out, shape.out_stride, key),
                             next_dq = next_queries(t.dq, shape.q_stride, key);
          for (int64_t q = 0; q < queries; q += part) {
            const int64_t seen = causal.keys_below(q + part, t), count = std::min(part, queries - q);
            Product::run({count,
                          dim,
                          seen,
                          ds + q,
                          1,
                          kQ,
                          rows.k,
                          k_stride,
                          dq + q * q_stride,
                          q_stride,
                          !turned && !begins_q,
                          nullptr,
                          {next_out.share(q, q + count, queries), next_dq.share(q, q + count, queries)}});
          }
          query_sum(causal, t, dim, ds, rows.q, q_stride, dk, k_stride, !turned && !begins_k,
                    next_keys(t.dk, shape.k_stride));
          if (turned) hooks->transform_backward(hooks->context, t, turned->dq, turned->dk);
        }
      }
    }
    if (written < s.key_length) clear_keys(shape, g, kv_head, written, s.key_length);
  }

  static LLMKIT_INLINE T row_dot(const T* a, const T* b, int64_t n) {
    R sum = V::zero();
    for_vectors<V>(n, [&](int64_t i, auto lanes)
                          LLMKIT_INLINE_LAMBDA { sum = V::fma(load<V>(a + i, lanes), load<V>(b + i, lanes), sum); });
    return V::reduce_add(sum);
  }

  // A vector of queries. In: p = scores, ds = dP. Out: p = dropped probabilities, ds = scale · dS; 0 for the keys from
  // `seen` on.
  static LLMKIT_INLINE void score_gradients(T* p, T* ds, const T* factors, int64_t seen, int64_t keys, R lse, R delta,
                                            T scale) {
    const R by = V::set1(scale);
    int64_t i = 0;
    for (; i < seen * kQ; i += kQ) {
      const R probability = V::exp(V::sub(V::load(p + i), lse));
      R upstream = V::load(ds + i), dropped = probability;
      if (factors) {
        const R factor = V::load(factors + i);
        upstream = V::mul(upstream, factor);
        dropped = V::mul(dropped, factor);
      }
      V::store(p + i, dropped);
      V::store(ds + i, V::mul(V::mul(by, probability), V::sub(upstream, delta)));
    }
    for (; i < keys * kQ; i += kQ) {
      V::store(p + i, V::zero());
      V::store(ds + i, V::zero());
    }
  }

  static constexpr AttentionKernels<T> table() {
    AttentionKernels<T> kernels{};
    kernels.forward_tile = forward_tile;  // the overload of the table's type
    kernels.backward_head = backward_head;
    return kernels;
  }
};

}  // namespace llmkit::kernels
