// What a kind of attention may do beside s = scale · q·k and Σ p v: functions on a tile of queries × keys of one head.
//   transform    q', k' = f(q, k, positions) for this pair of tiles (rotations, DCA's chunk relations)
//   scores       s_ij += g(i, j, q_i, k_j)   (ALiBi: Press et al. 2022; T5: Raffel et al. 2020; Shaw et al. 2018;
//   Transformer-XL:
//                Dai et al. 2019; DeBERTa: He et al. 2021)
//   values       o_i += Σ_j p_ij h(i, j)     (Shaw et al. 2018)
// each with its backward. Tiles of one (sequence, head) come one after another, in a fixed order, so that a hook keeps
// the sums of its parameters' gradients per (sequence, head) without atomics, and adds those up in order afterwards.
// Tiles of other heads run at the same time. A hook must treat a query alike in any tile: then cached decoding stays
// exact.
#pragma once

#include <cstdint>

namespace llmkit::kernels {

inline constexpr int64_t kQueryTile = 64, kKeyTile = 64;

template <class T>
struct AttentionTile {
  int64_t sequence = 0, head = 0, kv_head = 0;
  int64_t query = 0, queries = 0;  // of the sequence; their positions on the key axis start at query_position
  int64_t key = 0, keys = 0;
  int64_t query_position = 0;
  const T* q = nullptr;  // row of the first query, of this head, not scaled; then every q_stride elements
  const T* k = nullptr;
  int64_t q_stride = 0, k_stride = 0;
  T* dq = nullptr;  // in the backward: the gradients of these rows, += ; the strides of q and k
  T* dk = nullptr;
};

// Matrices of a tile have the queries in the lanes: element (row r, query i) lies at r · kQueryTile + i. Lanes beyond
// `queries` may hold anything and are ignored.
template <class T>
struct AttentionHooks {
  void* context = nullptr;
  // q_out [queries][head_dim], k_out [keys][head_dim]: take the place of q and k in the scores.
  void (*transform)(void*, const AttentionTile<T>&, T* q_out, T* k_out) = nullptr;
  // Adds to tile.dq and tile.dk what the gradients of q_out and k_out give.
  void (*transform_backward)(void*, const AttentionTile<T>&, const T* dq_out, const T* dk_out) = nullptr;
  void (*add_scores)(void*, const AttentionTile<T>&, T* scores) = nullptr;  // [keys][kQueryTile] +=
  // dscores [keys][kQueryTile]; adds to its parameters' sums, tile.dq and tile.dk.
  void (*scores_backward)(void*, const AttentionTile<T>&, const T* dscores) = nullptr;
  // p [keys][kQueryTile], dropped out already; out [head_dim][kQueryTile] +=, both not yet divided by Σ e^s.
  void (*add_values)(void*, const AttentionTile<T>&, const T* p, T* out) = nullptr;
  // dp_ij += dout_i · h(i, j); dout [head_dim][kQueryTile].
  void (*values_dp)(void*, const AttentionTile<T>&, const T* dout, T* dp) = nullptr;
  // dh(i, j) = p_ij dout_i, p as used.
  void (*values_backward)(void*, const AttentionTile<T>&, const T* p, const T* dout) = nullptr;
};

}  // namespace llmkit::kernels
