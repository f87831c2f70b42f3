// Activation functions on vectors, and the row kernels made of them.
#pragma once

#include "kernels/activation.h"
#include "kernels/simd.h"

namespace llmkit::kernels {

template <Activation A>
struct ActivationTag {
  static constexpr Activation value = A;
};

// Calls f(ActivationTag<kind>{}).
template <class F>
LLMKIT_INLINE void with_activation(Activation kind, F&& f) {
  switch (kind) {
    case Activation::none:
      return f(ActivationTag<Activation::none>{});
    case Activation::relu:
      return f(ActivationTag<Activation::relu>{});
    case Activation::gelu_tanh:
      return f(ActivationTag<Activation::gelu_tanh>{});
    case Activation::gelu_erf:
      return f(ActivationTag<Activation::gelu_erf>{});
    case Activation::silu:
      return f(ActivationTag<Activation::silu>{});
    case Activation::relu_squared:
      return f(ActivationTag<Activation::relu_squared>{});
    case Activation::tanh:
      return f(ActivationTag<Activation::tanh>{});
    case Activation::sigmoid:
      return f(ActivationTag<Activation::sigmoid>{});
  }
}

inline constexpr double kSqrt2OverPi = 0.79788456080286535588;
inline constexpr double kGeluCubic = 0.044715;
inline constexpr double kSqrtHalf = 0.70710678118654752440;
inline constexpr double kInvSqrt2Pi = 0.39894228040143267794;

// act(x), and where Slope is set act'(x) too.
template <class V, Activation A, bool Slope>
LLMKIT_INLINE typename V::R activate(typename V::R x, typename V::R& slope) {
  using T = typename V::T;
  const auto one = V::set1(1);
  if constexpr (A == Activation::none) {
    if constexpr (Slope) slope = one;
    return x;
  } else if constexpr (A == Activation::relu) {
    if constexpr (Slope) slope = V::select(V::less(V::zero(), x), one, V::zero());
    return V::max(x, V::zero());
  } else if constexpr (A == Activation::relu_squared) {
    auto r = V::max(x, V::zero());
    if constexpr (Slope) slope = V::add(r, r);
    return V::mul(r, r);
  } else if constexpr (A == Activation::gelu_tanh) {
    // (1 + tanh u) / 2 = σ(2u), u = √(2/π) (x + 0.044715 x³)
    const auto c = V::set1(T(2 * kSqrt2OverPi)), cubic = V::set1(T(2 * kSqrt2OverPi * kGeluCubic));
    auto xx = V::mul(x, x);
    auto phi = sigmoid_of<V>(V::mul(x, V::fma(cubic, xx, c)));
    auto y = V::mul(x, phi);
    if constexpr (Slope) {
      auto du = V::fma(V::set1(T(6 * kSqrt2OverPi * kGeluCubic)), xx, c);
      slope = V::fma(V::mul(y, V::sub(one, phi)), du, phi);
    }
    return y;
  } else if constexpr (A == Activation::gelu_erf) {
    const auto half = V::set1(T(0.5));
    auto phi = V::fma(half, V::erf(V::mul(x, V::set1(T(kSqrtHalf)))), half);
    if constexpr (Slope) {
      auto density = V::mul(V::set1(T(kInvSqrt2Pi)), V::exp(V::mul(V::set1(T(-0.5)), V::mul(x, x))));
      slope = V::fma(x, density, phi);
    }
    return V::mul(x, phi);
  } else if constexpr (A == Activation::silu) {
    auto s = sigmoid_of<V>(x);
    auto y = V::mul(x, s);
    if constexpr (Slope) slope = V::fma(y, V::sub(one, s), s);
    return y;
  } else if constexpr (A == Activation::tanh) {
    auto t = tanh_of<V>(x);
    if constexpr (Slope) slope = V::sub(one, V::mul(t, t));
    return t;
  } else {
    auto s = sigmoid_of<V>(x);
    if constexpr (Slope) slope = V::mul(s, V::sub(one, s));
    return s;
  }
}

template <class V>
struct ActivationKernels {
  using T = typename V::T;
  using R = typename V::R;

  static void forward(Activation kind, T* y, const T* x, int64_t n) {
    with_activation(kind, [&](auto tag) {
      for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
        R unused;
        store<V>(y + i, activate<V, decltype(tag)::value, false>(load<V>(x + i, lanes), unused), lanes);
      });
    });
  }

  static LLMKIT_INLINE void put(T* to, R x, auto lanes, bool accumulate) {
    store<V>(to, accumulate ? V::add(load<V>(to, lanes), x) : x, lanes);
  }

  static void backward(Activation kind, T* dx, const T* dy, const T* x, int64_t n, bool accumulate) {
    with_activation(kind, [&](auto tag) {
      for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
        R slope;
        activate<V, decltype(tag)::value, true>(load<V>(x + i, lanes), slope);
        put(dx + i, V::mul(slope, load<V>(dy + i, lanes)), lanes, accumulate);
      });
    });
  }

  static void glu_forward(Activation kind, T* y, const T* gate, const T* up, int64_t n) {
    with_activation(kind, [&](auto tag) {
      for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
        R unused;
        R a = activate<V, decltype(tag)::value, false>(load<V>(gate + i, lanes), unused);
        store<V>(y + i, V::mul(a, load<V>(up + i, lanes)), lanes);
      });
    });
  }

  static void glu_backward(Activation kind, T* dgate, T* dup, const T* dy, const T* gate, const T* up, int64_t n,
                           bool accumulate) {
    with_activation(kind, [&](auto tag) {
      for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
        R slope;
        R a = activate<V, decltype(tag)::value, true>(load<V>(gate + i, lanes), slope);
        R d = load<V>(dy + i, lanes);
        put(dup + i, V::mul(a, d), lanes, accumulate);
        R through = V::mul(slope, load<V>(up + i, lanes));
        put(dgate + i, V::mul(through, d), lanes, accumulate);
      });
    });
  }
};

}  // namespace llmkit::kernels
