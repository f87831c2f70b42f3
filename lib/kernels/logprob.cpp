#include "kernels/logprob.h"

#include <algorithm>

#include "kernels/gemm_internal.h"
#include "kernels/vector_table.h"

namespace llmkit::kernels {
namespace {

// Tokens of a chunk: its logits stay near 64 MiB, and the gradient of the weight is passed over once a chunk.
template <class T>
int64_t chunk_tokens(int64_t tokens, int64_t vocabulary) {
  constexpr int64_t kBudget = int64_t{64} << 20, kStep = 64;
  const int64_t fit = kBudget / (vocabulary * static_cast<int64_t>(sizeof(T))) / kStep * kStep;
  return std::min(tokens, std::max(kStep, fit));
}

// One pass over the chunks. `rows(begin, end, logits)` sees a chunk's logits and may turn them into gradients, which
// are then multiplied out when `gradient` is given.
template <class T, class F>
void for_chunks(const Exec& ex, const LogprobArgs<T>& args, const LogprobGradient<T>* gradient, F&& rows) {
  const int64_t tokens = args.hidden.rows, dim = args.hidden.cols, vocabulary = args.weight.rows;
  if (tokens == 0) return;
  const int64_t chunk = chunk_tokens<T>(tokens, vocabulary);
  Scratch scratch(ex.workspace);
  T* logits = scratch.take<T>(chunk * vocabulary);
  const PackedB<T> forward = pack_operand(ex, scratch, args.weight, PackFrom::n_major, args.precision);
  const bool want_hidden = gradient && gradient->dhidden.data, want_weight = gradient && gradient->dweight.data;
  PackedB<T> backward;
  if (want_hidden) backward = pack_operand(ex, scratch, args.weight, PackFrom::k_major, args.precision);
  for (int64_t begin = 0; begin < tokens; begin += chunk) {
    const int64_t end = std::min(tokens, begin + chunk);
    const Matrix<T> z(logits, end - begin, vocabulary);
    const Matrix<const T> h(args.hidden.row(begin), end - begin, dim, args.hidden.stride);
    multiply_packed<T>(ex, z, h, forward);
    ex.parallel.for_tiles(end - begin, [&](int64_t i) { rows(begin + i, z.row(i)); });
    if (want_hidden) {
      Epilogue<T> add;
      add.accumulate = true;
      multiply_packed<T>(ex, Matrix<T>(gradient->dhidden.row(begin), end - begin, dim, gradient->dhidden.stride), Matrix<const T>(z), backward, add);
    }
    if (want_weight) linear_backward_weight<T>(ex, gradient->dweight, z, h, args.precision);
  }
}

// z becomes a [v = target] + (b - a) p.
template <class T>
void gradient_row(const VectorKernels<T>& k, T* z, int64_t vocabulary, int32_t target, T lse, T a, T b) {
  if (target < 0 || (a == 0 && b == 0)) {
    std::fill(z, z + vocabulary, T(0));
    return;
  }
  k.scaled_probabilities(z, lse, b - a, vocabulary);
  z[target] += a;
}

}  // namespace

template <class T>
void logprob_forward(const Exec& ex, const LogprobArgs<T>& args, T* logprob, T* lse) {
  const auto& k = vector_kernels<T>();
  for_chunks<T>(ex, args, nullptr, [&](int64_t token, T* z) {
    lse[token] = k.log_sum_exp(z, args.weight.rows);
    logprob[token] = args.targets[token] < 0 ? T(0) : z[args.targets[token]] - lse[token];
  });
}

template <class T>
void logprob_backward(const Exec& ex, const LogprobArgs<T>& args, const T* lse, const LogprobGradient<T>& gradient) {
  const auto& k = vector_kernels<T>();
  for_chunks<T>(ex, args, &gradient, [&](int64_t token, T* z) {
    const T b = gradient.dlse ? gradient.dlse[token] : T(0);
    gradient_row(k, z, args.weight.rows, args.targets[token], lse[token], gradient.dlogprob[token], b);
  });
}

template <class T>
void logprob_forward_backward(const Exec& ex, const LogprobArgs<T>& args, T* logprob, T* lse, const LogprobGradient<T>& gradient) {
  const auto& k = vector_kernels<T>();
  for_chunks<T>(ex, args, &gradient, [&](int64_t token, T* z) {
    const int32_t target = args.targets[token];
    lse[token] = k.log_sum_exp(z, args.weight.rows);
    logprob[token] = target < 0 ? T(0) : z[target] - lse[token];
    const T b = gradient.dlse ? gradient.dlse[token] : T(0);
    gradient_row(k, z, args.weight.rows, target, lse[token], gradient.dlogprob[token], b);
  });
}

template <class T>
void logprob_of_logits(const Exec& ex, Matrix<const T> logits, const int32_t* targets, T* logprob, T* lse) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_tiles(logits.rows, [&](int64_t i) {
    lse[i] = k.log_sum_exp(logits.row(i), logits.cols);
    logprob[i] = targets[i] < 0 ? T(0) : logits.row(i)[targets[i]] - lse[i];
  });
}

#define LLMKIT_INSTANTIATE(T)                                                                                               \
  template void logprob_forward(const Exec&, const LogprobArgs<T>&, T*, T*);                                                \
  template void logprob_backward(const Exec&, const LogprobArgs<T>&, const T*, const LogprobGradient<T>&);                  \
  template void logprob_forward_backward(const Exec&, const LogprobArgs<T>&, T*, T*, const LogprobGradient<T>&);            \
  template void logprob_of_logits(const Exec&, Matrix<const T>, const int32_t*, T*, T*);
LLMKIT_INSTANTIATE(float)
LLMKIT_INSTANTIATE(double)
#undef LLMKIT_INSTANTIATE

}  // namespace llmkit::kernels
