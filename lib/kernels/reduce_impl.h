#pragma once

#include "kernels/matrix.h"
#include "kernels/simd.h"

namespace llmkit::kernels {

template <class V>
struct ReduceKernels {
  using T = typename V::T;
  using R = typename V::R;

  // One block of a flat sum. The lanes are summed in double, in lane order.
  static LLMKIT_INLINE double in_double(R x) {
    alignas(64) T lane[V::kWidth];
    V::store(lane, x);
    double s = 0;
    for (T value : lane) s += static_cast<double>(value);
    return s;
  }
  // Runs of 64 vectors accumulate in T, runs in double: the rounding error stays near that of one run.
  template <class F>
  static LLMKIT_INLINE double blocked(int64_t n, F&& term) {
    constexpr int64_t kRun = 64 * V::kWidth;
    double total = 0;
    for (int64_t begin = 0; begin < n; begin += kRun) {
      const int64_t count = n - begin < kRun ? n - begin : kRun;
      R s[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
      int64_t next = 0;
      for_vectors<V>(count, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
        s[next & 3] = term(s[next & 3], begin + i, lanes);
        ++next;
      });
      total += in_double(V::add(V::add(s[0], s[1]), V::add(s[2], s[3])));
    }
    return total;
  }
  static double sum(const T* x, int64_t n) {
    return blocked(n,
                   [&](R s, int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA { return V::add(s, load<V>(x + i, lanes)); });
  }
  static double dot(const T* a, const T* b, int64_t n) {
    return blocked(n, [&](R s, int64_t i, auto lanes)
                          LLMKIT_INLINE_LAMBDA { return V::fma(load<V>(a + i, lanes), load<V>(b + i, lanes), s); });
  }

  // y[0..n) += Σ_m x[m][0..n): rows in order.
  static void column_sum(T* y, const T* x, int64_t rows, int64_t n, int64_t stride) {
    constexpr int64_t kAtOnce = 8;  // vectors: a row gives whole cache lines side by side
    int64_t done = 0;
    for (; done + kAtOnce * V::kWidth <= n; done += kAtOnce * V::kWidth) {
      R s[kAtOnce];
      for (int64_t j = 0; j < kAtOnce; ++j) s[j] = V::zero();
      for (int64_t m = 0; m < rows; ++m) {
        for (int64_t j = 0; j < kAtOnce; ++j) s[j] = V::add(s[j], V::load(x + m * stride + done + j * V::kWidth));
      }
      for (int64_t j = 0; j < kAtOnce; ++j) {
        T* to = y + done + j * V::kWidth;
        V::store(to, V::add(V::load(to), s[j]));
      }
    }
    for_vectors<V>(n - done, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      R s = V::zero();
      for (int64_t m = 0; m < rows; ++m) s = V::add(s, load<V>(x + m * stride + done + i, lanes));
      store<V>(y + done + i, V::add(load<V>(y + done + i, lanes), s), lanes);
    });
  }

  static LLMKIT_INLINE T row_max(const T* x, int64_t n) {
    R top = V::set1(-std::numeric_limits<T>::infinity());
    int64_t i = 0;
    for (; i + V::kWidth <= n; i += V::kWidth) top = V::max(top, V::load(x + i));
    T best = V::reduce_max(top);
    for (; i < n; ++i) best = x[i] > best ? x[i] : best;
    return best;
  }
  // Σ e^{x-max}; terms[i] = e^{x_i-max} are written where wanted. Order: lanes, then the lanes in order, then the tail.
  static LLMKIT_INLINE T sum_exp(const T* x, T max, T* terms, int64_t n) {
    const R top = V::set1(max);
    R total = V::zero();
    int64_t i = 0;
    for (; i + V::kWidth <= n; i += V::kWidth) {
      R e = V::exp(V::sub(V::load(x + i), top));
      if (terms) V::store(terms + i, e);
      total = V::add(total, e);
    }
    T sum = V::reduce_add(total);
    if (i < n) {
      alignas(64) T tail[V::kWidth];
      V::store(tail, V::exp(V::sub(V::load_n(x + i, n - i), top)));
      for (int64_t j = 0; j < n - i; ++j) {
        if (terms) terms[i + j] = tail[j];
        sum += tail[j];
      }
    }
    return sum;
  }

  static void softmax(T* y, const T* x, int64_t n) {
    const T max = row_max(x, n);
    if (max == -std::numeric_limits<T>::infinity()) {
      for (int64_t i = 0; i < n; ++i) y[i] = 0;
      return;
    }
    const R inverse = V::set1(1 / sum_exp(x, max, y, n));
    for_vectors<V>(n, [&](int64_t i, auto lanes)
                          LLMKIT_INLINE_LAMBDA { store<V>(y + i, V::mul(load<V>(y + i, lanes), inverse), lanes); });
  }
  static void softmax_backward(T* dx, const T* dy, const T* y, int64_t n) {
    R total = V::zero();
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      total = V::fma(load<V>(dy + i, lanes), load<V>(y + i, lanes), total);
    });
    const R inner = V::set1(V::reduce_add(total));
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      R d = V::mul(load<V>(y + i, lanes), V::sub(load<V>(dy + i, lanes), inner));
      store<V>(dx + i, V::add(load<V>(dx + i, lanes), d), lanes);
    });
  }
  static T log_sum_exp(const T* x, int64_t n) {
    const T max = row_max(x, n);
    if (max == -std::numeric_limits<T>::infinity()) return max;
    return max + std::log(sum_exp(x, max, nullptr, n));
  }
  // x[v] = factor · e^{x_v - lse}: a row of logits becomes a row of the loss's gradient (but for the target's term).
  static void scaled_probabilities(T* x, T lse, T factor, int64_t n) {
    const R shift = V::set1(lse), f = V::set1(factor);
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      store<V>(x + i, V::mul(f, V::exp(V::sub(load<V>(x + i, lanes), shift))), lanes);
    });
  }
};

}  // namespace llmkit::kernels
