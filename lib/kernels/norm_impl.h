#pragma once

#include "kernels/norm.h"
#include "kernels/simd.h"

namespace llmkit::kernels {

template <class V>
struct NormKernels {
  using T = typename V::T;
  using R = typename V::R;

  // Σ f(i, lanes) over a row; lanes beyond the row must contribute 0.
  template <class F>
  static LLMKIT_INLINE T row_sum(int64_t n, F&& f) {
    // Four chains, so that an addition need not wait for the one before.
    constexpr int64_t kStep = 4 * V::kWidth;
    R total[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
    int64_t i = 0;
    for (; i + kStep <= n; i += kStep) {
#pragma GCC unroll 4
      for (int64_t c = 0; c < 4; ++c) total[c] = V::add(total[c], f(i + c * V::kWidth, AllLanes{}));
    }
    for_vectors<V>(n - i,
                   [&](int64_t j, auto lanes) LLMKIT_INLINE_LAMBDA { total[0] = V::add(total[0], f(i + j, lanes)); });
    return V::reduce_add(V::add(V::add(total[0], total[1]), V::add(total[2], total[3])));
  }

  static void forward(const NormArgs<T>& args, int64_t begin, int64_t end) {
    const int64_t n = args.dim;
    for (int64_t row = begin; row < end; ++row) {
      const T* x = args.x + row * n;
      if (args.residual) {
        const T* residual = args.residual + row * n;
        T* sum = args.sum + row * n;
        for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
          store<V>(sum + i, V::add(load<V>(x + i, lanes), load<V>(residual + i, lanes)), lanes);
        });
        x = sum;
      }
      T mean = 0;
      if (args.kind == NormKind::layer) {
        mean = row_sum(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA { return load<V>(x + i, lanes); }) /
               static_cast<T>(n);
      }
      const R centre = V::set1(mean);
      const T squares = row_sum(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
        R d = masked(V::sub(load<V>(x + i, lanes), centre), lanes);
        return V::mul(d, d);
      });
      const T rstd = 1 / std::sqrt(squares / static_cast<T>(n) + args.epsilon);
      if (args.mean) args.mean[row] = mean;
      if (args.rstd) args.rstd[row] = rstd;
      const R r = V::set1(rstd);
      T* y = args.y + row * n;
      for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
        R value = V::mul(V::sub(load<V>(x + i, lanes), centre), r);
        if (args.weight) value = V::mul(value, load<V>(args.weight + i, lanes));
        if (args.bias) value = V::add(value, load<V>(args.bias + i, lanes));
        store<V>(y + i, value, lanes);
      });
    }
  }

  // dx += rstd (g - mean(g) - x̂ mean(g x̂)) with g = dy·weight, x̂ the normalised row (rms: without mean(g)).
  // dweight and dbias [dim] are this range's own partial sums, += too.
  static void backward(const NormGradient<T>& args, T* dweight, T* dbias, int64_t begin, int64_t end) {
    const int64_t n = args.dim;
    const bool layer = args.kind == NormKind::layer;
    for (int64_t row = begin; row < end; ++row) {
      const T* s = args.s + row * n;
      const T* dy = args.dy + row * n;
      const R centre = V::set1(layer ? args.mean[row] : T(0));
      const R r = V::set1(args.rstd[row]);
      R sum_g = V::zero(), sum_gx = V::zero();
      for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
        R d = load<V>(dy + i, lanes);
        R x = V::mul(V::sub(load<V>(s + i, lanes), centre), r);
        R dx = V::mul(d, x);
        if (dweight) store<V>(dweight + i, V::add(load<V>(dweight + i, lanes), dx), lanes);
        if (dbias) store<V>(dbias + i, V::add(load<V>(dbias + i, lanes), d), lanes);
        if (args.weight) {
          R w = load<V>(args.weight + i, lanes);
          d = V::mul(d, w);
          dx = V::mul(dx, w);
        }
        sum_g = V::add(sum_g, d);
        sum_gx = V::add(sum_gx, dx);
      });
      if (!args.dx) continue;
      const R mean_g = V::set1(layer ? V::reduce_add(sum_g) / static_cast<T>(n) : T(0));
      const R mean_gx = V::set1(V::reduce_add(sum_gx) / static_cast<T>(n));
      T* out = args.dx + row * n;
      for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
        R g = load<V>(dy + i, lanes);
        if (args.weight) g = V::mul(g, load<V>(args.weight + i, lanes));
        R x = V::mul(V::sub(load<V>(s + i, lanes), centre), r);
        R value = V::sub(V::sub(g, mean_g), V::mul(x, mean_gx));
        store<V>(out + i, V::fma(value, r, load<V>(out + i, lanes)), lanes);
      });
    }
  }

 private:
  static LLMKIT_INLINE R masked(R x, AllLanes) {
    return x;
  }
  static LLMKIT_INLINE R masked(R x, SomeLanes s) {
    alignas(64) T lane[V::kWidth];
    V::store(lane, x);
    return V::load_n(lane, s.n);
  }
};

}  // namespace llmkit::kernels
