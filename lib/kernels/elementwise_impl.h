#pragma once

#include "kernels/bf16.h"
#include "kernels/simd.h"

namespace llmkit::kernels {

template <class V>
struct ElementwiseKernels {
  using T = typename V::T;

  static void add(T* y, const T* a, const T* b, int64_t n) {
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      store<V>(y + i, V::add(load<V>(a + i, lanes), load<V>(b + i, lanes)), lanes);
    });
  }
  static void scale(T* y, const T* x, T alpha, int64_t n) {
    const auto s = V::set1(alpha);
    for_vectors<V>(n, [&](int64_t i, auto lanes)
                          LLMKIT_INLINE_LAMBDA { store<V>(y + i, V::mul(s, load<V>(x + i, lanes)), lanes); });
  }
  static void axpy(T* y, T alpha, const T* x, int64_t n) {
    const auto s = V::set1(alpha);
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      store<V>(y + i, V::fma(s, load<V>(x + i, lanes), load<V>(y + i, lanes)), lanes);
    });
  }
  static void multiply(T* y, const T* a, const T* b, int64_t n) {
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      store<V>(y + i, V::mul(load<V>(a + i, lanes), load<V>(b + i, lanes)), lanes);
    });
  }
  static void multiply_add(T* y, const T* a, const T* b, int64_t n) {
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      store<V>(y + i, V::fma(load<V>(a + i, lanes), load<V>(b + i, lanes), load<V>(y + i, lanes)), lanes);
    });
  }
  static void to_bf16(Bf16* y, const T* x, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] = kernels::to_bf16(static_cast<float>(x[i]));
  }
  static void from_bf16(T* y, const Bf16* x, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<T>(to_float(x[i]));
  }
};

}  // namespace llmkit::kernels
