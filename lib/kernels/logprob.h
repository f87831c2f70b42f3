// Token log-probabilities from hidden states without a logits tensor:
//   z_i = h_i Wᵀ,   lse_i = log Σ_v e^{z_iv},   logprob_i = z_i,target - lse_i
// Work goes in chunks of tokens and blocks of the vocabulary: a chunk's logits live in the workspace, then vanish (cf.
// Wijmans et al., "Cut your losses in large-vocabulary language models", 2024; ours chunks tokens, so nothing is
// computed twice when the upstream weights are known). Backward for arbitrary upstream gradients a_i of logprob_i and
// b_i of lse_i:
//   dz_iv = a_i [v = target_i] + (b_i - a_i) p_iv
#pragma once

#include <cstdint>

#include "kernels/exec.h"
#include "kernels/gemm.h"
#include "kernels/matrix.h"

namespace llmkit::kernels {

template <class T>
struct LogprobArgs {
  Matrix<const T> hidden;            // [M, D]
  Matrix<const T> weight;            // [V, D]
  const int32_t* targets = nullptr;  // [M]; negative: no target, logprob 0, no gradient
  Precision precision = Precision::f32;
};

template <class T>
struct LogprobGradient {
  const T* dlogprob = nullptr;    // [M] upstream
  const T* dlse = nullptr;        // [M] or null
  Matrix<T> dhidden;              // += ; data null: not wanted
  Matrix<T> dweight;              // += ; data null: not wanted
  bool overwrite_weight = false;  // dweight = instead of +=
  T z_weight = 0;                 // forward_backward: -z_weight · dlogprob_i · lse_i² is added to the loss (z-loss)
};

template <class T>  // logprob[M], lse[M]
void logprob_forward(const Exec& ex, const LogprobArgs<T>& args, T* logprob, T* lse);
template <class T>  // needs the forward's lse; recomputes the logits
void logprob_backward(const Exec& ex, const LogprobArgs<T>& args, const T* lse, const LogprobGradient<T>& gradient);
// Both at once for weights known beforehand: the logits are computed once..
template <class T>
void logprob_forward_backward(const Exec& ex, const LogprobArgs<T>& args, T* logprob, T* lse,
                              const LogprobGradient<T>& gradient);

// Scratch memory of the above.
size_t logprob_workspace(int64_t tokens, int64_t vocabulary, int64_t dim, size_t element_bytes, Precision precision,
                         bool gradient);

// Of logits that exist: logprob[m] and lse[m] for rows of logits[M,V].
template <class T>
void logprob_of_logits(const Exec& ex, Matrix<const T> logits, const int32_t* targets, T* logprob, T* lse);

}  // namespace llmkit::kernels
