#pragma once

#include "kernels/bf16.h"
#include "kernels/simd.h"

namespace llmkit::kernels {

template <class T>
struct AdamwCoefficients {
  T beta1, beta2, one_minus_beta1, one_minus_beta2;
  T grad_scale, decay_factor;  // 1 - lr·decay
  T step_size;                 // lr / (1 - β1^t)
  T inverse_sqrt_correction;   // 1 / √(1 - β2^t)
  T epsilon;
};

template <class T>
struct SgdCoefficients {
  T rate, momentum, decay, grad_scale;
  bool nesterov;
};

template <class T>
struct LionCoefficients {
  T rate, beta1, beta2, one_minus_beta1, one_minus_beta2;
  T grad_scale, decay_factor;  // 1 - lr·decay
};

template <class V>
struct OptimizerKernels {
  using T = typename V::T;
  using R = typename V::R;

  static void adamw(T* p, const T* g, T* m, T* v, Bf16* copy, int64_t n, const AdamwCoefficients<T>& c) {
    const R beta1 = V::set1(c.beta1), beta2 = V::set1(c.beta2);
    const R rest1 = V::set1(c.one_minus_beta1), rest2 = V::set1(c.one_minus_beta2);
    const R scale = V::set1(c.grad_scale), decay = V::set1(c.decay_factor), size = V::set1(c.step_size);
    const R correction = V::set1(c.inverse_sqrt_correction), epsilon = V::set1(c.epsilon);
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      R grad = V::mul(scale, load<V>(g + i, lanes));
      R first = V::fma(beta1, load<V>(m + i, lanes), V::mul(rest1, grad));
      R second = V::fma(beta2, load<V>(v + i, lanes), V::mul(rest2, V::mul(grad, grad)));
      store<V>(m + i, first, lanes);
      store<V>(v + i, second, lanes);
      R denominator = V::fma(V::sqrt(second), correction, epsilon);
      R step = V::div(V::mul(size, first), denominator);
      R value = V::sub(V::mul(decay, load<V>(p + i, lanes)), step);
      store<V>(p + i, value, lanes);
    });
    if (copy) {
      for (int64_t i = 0; i < n; ++i) copy[i] = to_bf16(static_cast<float>(p[i]));
    }
  }

  static void sgd(T* p, const T* g, T* b, int64_t n, const SgdCoefficients<T>& c) {
    const R rate = V::set1(c.rate), momentum = V::set1(c.momentum), decay = V::set1(c.decay),
            scale = V::set1(c.grad_scale);
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      R value = load<V>(p + i, lanes);
      R d = V::fma(decay, value, V::mul(scale, load<V>(g + i, lanes)));
      if (b) {
        R buffer = V::fma(momentum, load<V>(b + i, lanes), d);
        store<V>(b + i, buffer, lanes);
        d = c.nesterov ? V::fma(momentum, buffer, d) : buffer;
      }
      store<V>(p + i, V::sub(value, V::mul(rate, d)), lanes);
    });
  }

  static void lion(T* p, const T* g, T* m, int64_t n, const LionCoefficients<T>& c) {
    const R beta1 = V::set1(c.beta1), beta2 = V::set1(c.beta2), rest1 = V::set1(c.one_minus_beta1),
            rest2 = V::set1(c.one_minus_beta2);
    const R scale = V::set1(c.grad_scale), decay = V::set1(c.decay_factor), up = V::set1(c.rate),
            down = V::set1(-c.rate);
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      R grad = V::mul(scale, load<V>(g + i, lanes)), mean = load<V>(m + i, lanes);
      R direction = V::fma(beta1, mean, V::mul(rest1, grad));
      store<V>(m + i, V::fma(beta2, mean, V::mul(rest2, grad)), lanes);
      R step = V::select(V::less(V::zero(), direction), up, V::select(V::less(direction, V::zero()), down, V::zero()));
      store<V>(p + i, V::sub(V::mul(decay, load<V>(p + i, lanes)), step), lanes);
    });
  }

  // y += share · (x - y)
  static void blend(T* y, const T* x, T share, int64_t n) {
    const R s = V::set1(share);
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      R old = load<V>(y + i, lanes);
      store<V>(y + i, V::fma(s, V::sub(load<V>(x + i, lanes), old), old), lanes);
    });
  }
};

}  // namespace llmkit::kernels
