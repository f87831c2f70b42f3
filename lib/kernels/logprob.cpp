#include "kernels/logprob.h"

#include <algorithm>

#include "kernels/half.h"
#include "kernels/vector_table.h"

namespace llmkit::kernels {
namespace {

// Tokens of a chunk: its logits stay below 56 MiB. The gradient of the weight is passed over once a chunk, which more
// than kEnough tokens hide.
int64_t chunk_tokens(int64_t tokens, int64_t vocabulary, size_t element_bytes) {
  constexpr int64_t kBudget = int64_t{36} << 20, kStep = 16, kEnough = 1024;
  const int64_t room = kBudget / (vocabulary * static_cast<int64_t>(element_bytes)) / kStep * kStep;
  const int64_t fit = std::clamp(room, kStep, kEnough);
  const int64_t chunks = (tokens + fit - 1) / std::max<int64_t>(1, fit);
  const int64_t even = (tokens + chunks - 1) / std::max<int64_t>(1, chunks);  // chunks of about one size
  return std::min(tokens, (even + kStep - 1) / kStep * kStep);
}
// Words of a block: its part of the weight is packed for one product at a time, and its logits are still cached when
// the second gradient reads them.
constexpr int64_t kBlock = 4096;

// One pass over the chunks. `rows(begin, end, logits)` sees a chunk's logits and may turn them into gradients, which
// are then multiplied out when `gradient` is given.
template <class T, class F>
void for_chunks(const Exec& ex, LogprobArgs<T> args, const LogprobGradient<T>* gradient, F&& rows) {
  const int64_t tokens = args.hidden.rows, dim = args.hidden.cols, vocabulary = args.weight.rows;
  if (tokens == 0) return;
  const int64_t chunk = chunk_tokens(tokens, vocabulary, sizeof(T));
  Scratch scratch(ex.workspace);
  const bool half = std::is_same_v<T, float> && args.precision == Precision::f16;
  if constexpr (std::is_same_v<T, float>) {
    if (half) {
      args.hidden = half_copy(ex, scratch, args.hidden);
      args.weight = half_copy(ex, scratch, args.weight);
      args.precision = Precision::f32;
    }
  }
  T* logits = scratch.take<T>(chunk * vocabulary);
  for (int64_t begin = 0; begin < tokens; begin += chunk) {
    const int64_t count = std::min(tokens - begin, chunk);
    const Matrix<const T> h(args.hidden.row(begin), count, dim, args.hidden.stride);
    auto for_blocks = [&](auto&& block) {
      for (int64_t v = 0; v < vocabulary; v += kBlock) {
        const int64_t words = std::min(kBlock, vocabulary - v);
        block(Matrix<T>(logits + v, count, words, vocabulary),
              Matrix<const T>(args.weight.row(v), words, dim, args.weight.stride), v);
      }
    };
    for_blocks([&](Matrix<T> z, Matrix<const T> w, int64_t) { gemm_nt<T>(ex, z, h, w, {args.precision, {}}); });
    ex.parallel.for_tiles(count, [&](int64_t i) {
      T* z = logits + i * vocabulary;
      rows(begin + i, z);
      if constexpr (std::is_same_v<T, float>) {
        if (half && gradient) round_to_half(z, z, vocabulary);
      }
    });
    if (!gradient) continue;
    for_blocks([&](Matrix<T> z, Matrix<const T> w, int64_t v) {
      GemmOptions<T> options{args.precision, {}};
      options.epilogue.accumulate = true;
      if (gradient->dhidden.data) {
        gemm_nn<T>(ex, Matrix<T>(gradient->dhidden.row(begin), count, dim, gradient->dhidden.stride),
                   Matrix<const T>(z), w, options);
      }
      if (!gradient->dweight.data) return;
      options.epilogue.accumulate = begin > 0 || !gradient->overwrite_weight;
      gemm_tn<T>(ex, Matrix<T>(gradient->dweight.row(v), z.cols, dim, gradient->dweight.stride), Matrix<const T>(z), h,
                 options);
    });
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
void logprob_forward_backward(const Exec& ex, const LogprobArgs<T>& args, T* logprob, T* lse,
                              const LogprobGradient<T>& gradient) {
  const auto& k = vector_kernels<T>();
  for_chunks<T>(ex, args, &gradient, [&](int64_t token, T* z) {
    const int32_t target = args.targets[token];
    lse[token] = k.log_sum_exp(z, args.weight.rows);
    logprob[token] = target < 0 ? T(0) : z[target] - lse[token];
    const T a = gradient.dlogprob[token];
    const T b = (gradient.dlse ? gradient.dlse[token] : T(0)) - 2 * gradient.z_weight * a * lse[token];
    gradient_row(k, z, args.weight.rows, target, lse[token], a, b);
  });
}

size_t logprob_workspace(int64_t tokens, int64_t vocabulary, int64_t dim, size_t element_bytes, Precision precision,
                         bool gradient) {
  const int64_t chunk = chunk_tokens(tokens, vocabulary, element_bytes), block = std::min(kBlock, vocabulary);
  auto products = [&]<class T>(T) {
    const size_t forward = gemm_workspace<T>(GemmForm::nt, chunk, block, dim, precision);
    if (!gradient) return forward;
    return std::max({forward, gemm_workspace<T>(GemmForm::nn, chunk, dim, block, precision),
                     gemm_workspace<T>(GemmForm::tn, block, dim, chunk, precision)});
  };
  return static_cast<size_t>(chunk * vocabulary) * element_bytes +
         (element_bytes == sizeof(double) ? products(0.0) : products(0.0f));
}

template <class T>
void logprob_of_logits(const Exec& ex, Matrix<const T> logits, const int32_t* targets, T* logprob, T* lse) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_tiles(logits.rows, [&](int64_t i) {
    lse[i] = k.log_sum_exp(logits.row(i), logits.cols);
    logprob[i] = targets[i] < 0 ? T(0) : logits.row(i)[targets[i]] - lse[i];
  });
}

#define LLMKIT_INSTANTIATE(T)                                                                                    \
  template void logprob_forward(const Exec&, const LogprobArgs<T>&, T*, T*);                                     \
  template void logprob_backward(const Exec&, const LogprobArgs<T>&, const T*, const LogprobGradient<T>&);       \
  template void logprob_forward_backward(const Exec&, const LogprobArgs<T>&, T*, T*, const LogprobGradient<T>&); \
  template void logprob_of_logits(const Exec&, Matrix<const T>, const int32_t*, T*, T*);
LLMKIT_INSTANTIATE(float)
LLMKIT_INSTANTIATE(double)
#undef LLMKIT_INSTANTIATE

}  // namespace llmkit::kernels
