// Tiled attention without the T×T matrix: online softmax forward, recomputation from the log-sum-exp backward
// (Milakov and Gimelshein 2018; Dao et al., "FlashAttention", 2022; Dao 2023).
//   s_ij = scale · q_i·k_j,  p_i = softmax over the visible j,  out_i = Σ_j drop(p_ij) v_j,  lse_i = log Σ_j e^{s_ij}
// Heads: query head h reads key/value head h / (heads / kv_heads) (GQA, Ainslie et al. 2023).
// A sequence names its own pointers and lengths, so that one call serves a training batch, or the decode of many
// sequences whose caches differ in length. Key tiles lie at fixed positions on the key axis: a query's result does
// not depend on how many queries are computed with it (cached decode = full pass, bit for bit).
#pragma once

#include <cstdint>
#include <span>

#include "kernels/attention_hooks.h"
#include "kernels/exec.h"

namespace llmkit::kernels {

template <class T>
struct AttentionShape {
  int64_t heads = 1;
  int64_t kv_heads = 1;
  int64_t head_dim = 64;  // ≤ 256
  // Elements from one token to the next; a head's vector starts at h · head_dim behind a token's start.
  int64_t q_stride = 0, k_stride = 0, v_stride = 0, out_stride = 0;
  T scale = 1;         // usually 1/√head_dim
  bool causal = true;  // query at position p sees keys ≤ p
  int64_t window = 0;  // > 0: and only keys > p - window
  T dropout = 0;       // of the probabilities, kept ones scaled by 1/(1-dropout)
  const AttentionHooks<T>* hooks = nullptr;
};

template <class T>
struct AttentionSequence {
  const T* q = nullptr;  // [query_length] tokens
  const T* k = nullptr;  // [key_length] tokens
  const T* v = nullptr;
  T* out = nullptr;  // [query_length] tokens
  T* lse = nullptr;  // [heads, query_length]; may be null where no backward follows
  int64_t query_length = 0;
  int64_t key_length = 0;
  int64_t query_start = 0;  // the position of query 0 on the key axis (cached decode: tokens already there)
  // Block-diagonal mask: a query sees a key only when their ids are equal. Null: no such mask.
  const int32_t* query_documents = nullptr;
  const int32_t* key_documents = nullptr;
  int64_t number = 0;        // what hooks know it by
  uint64_t dropout_key = 0;  // names the random stream: (seed, step, sequence, layer)
};

template <class T>
struct AttentionGradient {  // of one sequence; the strides are those of the shape
  const T* dout = nullptr;
  T* dq = nullptr;  // all three accumulate, unless `overwrite`: then they need not be initialised
  T* dk = nullptr;
  T* dv = nullptr;
  bool overwrite = false;
};

template <class T>
void attention_forward(const Exec& ex, const AttentionShape<T>& shape, std::span<const AttentionSequence<T>> sequences);
// Needs the forward's out and lse. dq, dk, dv have the strides of q, k, v; dout that of out.
template <class T>
void attention_backward(const Exec& ex, const AttentionShape<T>& shape, std::span<const AttentionSequence<T>> sequences,
                        std::span<const AttentionGradient<T>> gradients);

}  // namespace llmkit::kernels
