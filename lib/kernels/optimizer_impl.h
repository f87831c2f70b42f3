#pragma once

#include "kernels/bf16.h"
#include "kernels/simd.h"

namespace llmkit::kernels {

template <class T>
struct AdamwCoefficients {
  T beta1, beta2, one_minus_beta1, one_minus_beta2;
  T grad_scale, decay_factor;      // 1 - lr·decay
  T step_size;                     // lr / (1 - β1^t)
  T inverse_sqrt_correction;       // 1 / √(1 - β2^t)
  T epsilon;
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
};

}  // namespace llmkit::kernels
