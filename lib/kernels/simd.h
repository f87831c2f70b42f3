// The vector type that kernels are written against. A kernel is a template over V and is compiled once for each
// instruction set, in files whose suffix sets the compiler flags; V is a different type in each, so that no inline
// function of one is ever linked into another.
//
// V has: T, R (a register), kWidth; zero, set1, load, store (unaligned), load_n, store_n (the first n lanes; the rest
// read as 0), add, sub, mul, div, fma(a,b,c) = a·b + c, max, min, sqrt, exp, erf, less(a,b) → Mask, select(mask, a, b),
// transpose (of kWidth registers), reduce_add, reduce_max (fixed order).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#define LLMKIT_INLINE inline __attribute__((always_inline))
#define LLMKIT_INLINE_LAMBDA __attribute__((always_inline))

namespace llmkit::kernels {

// The number of lanes in use: all, or the first n of a tail.
struct AllLanes {};
struct SomeLanes {
  int64_t n;
};

// body(i, lanes) for each vector of [0, n).
template <class V, class F>
LLMKIT_INLINE void for_vectors(int64_t n, F&& body) {
  int64_t i = 0;
  for (; i + V::kWidth <= n; i += V::kWidth) body(i, AllLanes{});
  if (i < n) body(i, SomeLanes{n - i});
}

template <class V>
LLMKIT_INLINE typename V::R load(const typename V::T* p, AllLanes) {
  return V::load(p);
}
template <class V>
LLMKIT_INLINE typename V::R load(const typename V::T* p, SomeLanes s) {
  return V::load_n(p, s.n);
}
template <class V>
LLMKIT_INLINE void store(typename V::T* p, typename V::R x, AllLanes) {
  V::store(p, x);
}
template <class V>
LLMKIT_INLINE void store(typename V::T* p, typename V::R x, SomeLanes s) {
  V::store_n(p, x, s.n);
}

// Sixteen bytes of T in the compiler's own vector type: SSE2, NEON or plain code. Transcendental functions are the
// C library's, a lane at a time: in double this is the reference for every other V.
template <class Scalar>
struct Portable {
  using T = Scalar;
  static constexpr int64_t kWidth = 16 / sizeof(T);
  typedef T R __attribute__((vector_size(16)));
  using Mask = decltype(R{} < R{});

  static LLMKIT_INLINE R zero() { return R{}; }
  static LLMKIT_INLINE R set1(T x) { return R{} + x; }
  static LLMKIT_INLINE R load(const T* p) {
    R r;
    std::memcpy(&r, p, sizeof r);
    return r;
  }
  static LLMKIT_INLINE void store(T* p, R x) { std::memcpy(p, &x, sizeof x); }
  static LLMKIT_INLINE R load_n(const T* p, int64_t n) {
    R r{};
    for (int64_t i = 0; i < n; ++i) r[i] = p[i];
    return r;
  }
  static LLMKIT_INLINE void store_n(T* p, R x, int64_t n) {
    for (int64_t i = 0; i < n; ++i) p[i] = x[i];
  }
  static LLMKIT_INLINE R add(R a, R b) { return a + b; }
  static LLMKIT_INLINE R sub(R a, R b) { return a - b; }
  static LLMKIT_INLINE R mul(R a, R b) { return a * b; }
  static LLMKIT_INLINE R div(R a, R b) { return a / b; }
  static LLMKIT_INLINE R fma(R a, R b, R c) { return a * b + c; }
  static LLMKIT_INLINE Mask less(R a, R b) { return a < b; }
  static LLMKIT_INLINE R select(Mask m, R a, R b) { return m ? a : b; }
  static LLMKIT_INLINE R max(R a, R b) { return a > b ? a : b; }
  static LLMKIT_INLINE R min(R a, R b) { return a < b ? a : b; }
  static LLMKIT_INLINE R sqrt(R a) {
    for (int64_t i = 0; i < kWidth; ++i) a[i] = std::sqrt(a[i]);
    return a;
  }
  static LLMKIT_INLINE R exp(R a) {
    for (int64_t i = 0; i < kWidth; ++i) a[i] = std::exp(a[i]);
    return a;
  }
  static LLMKIT_INLINE R erf(R a) {
    for (int64_t i = 0; i < kWidth; ++i) a[i] = std::erf(a[i]);
    return a;
  }
  static LLMKIT_INLINE void transpose(R (&r)[kWidth]) {
    for (int64_t i = 0; i < kWidth; ++i) {
      for (int64_t j = 0; j < i; ++j) {
        const T t = r[i][j];
        r[i][j] = r[j][i];
        r[j][i] = t;
      }
    }
  }
  static LLMKIT_INLINE T reduce_add(R a) {
    T s = a[0];
    for (int64_t i = 1; i < kWidth; ++i) s += a[i];
    return s;
  }
  static LLMKIT_INLINE T reduce_max(R a) {
    T s = a[0];
    for (int64_t i = 1; i < kWidth; ++i) s = a[i] > s ? a[i] : s;
    return s;
  }
};

// tanh x = 1 - 2 / (e^{2x} + 1): exact limits, absolute error of a few ulp of 1.
template <class V>
LLMKIT_INLINE typename V::R tanh_of(typename V::R x) {
  auto one = V::set1(1);
  auto e = V::exp(V::min(V::add(x, x), V::set1(80)));
  return V::sub(one, V::div(V::set1(2), V::add(e, one)));
}
// σ(x) = 1 / (1 + e^-x)
template <class V>
LLMKIT_INLINE typename V::R sigmoid_of(typename V::R x) {
  auto one = V::set1(1);
  return V::div(one, V::add(one, V::exp(V::min(V::sub(V::zero(), x), V::set1(80)))));
}

}  // namespace llmkit::kernels
