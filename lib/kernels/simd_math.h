// exp and erf in single precision on vectors. Measured against double over the whole range
// (tests/unit/kernels/simd_test):
//   exp  relative error < 2e-7 on [-87, 88]; below it flushes to 0, above it saturates near the largest float
//   erf  absolute error < 2e-7
#pragma once

#include "kernels/simd.h"

namespace llmkit::kernels {

// e^x = 2^n e^r, n = round(x / ln 2), |r| ≤ ln2 / 2; e^r by its Taylor polynomial with coefficients fitted (Cephes
// expf). V::scale_pow2(p, n) = p · 2^n.
template <class V>
LLMKIT_INLINE typename V::R exp_float(typename V::R x) {
  using R = typename V::R;
  const R lowest = V::set1(-87.3365447505531f);
  const auto underflow = V::less(x, lowest);
  x = V::min(V::max(x, lowest), V::set1(88.3762626647950f));
  const R n = V::round(V::mul(x, V::set1(1.44269504088896341f)));
  R r = V::fma(n, V::set1(-0.693359375f), x);
  r = V::fma(n, V::set1(2.12194440e-4f), r);
  R p = V::set1(1.9875691500e-4f);
  p = V::fma(p, r, V::set1(1.3981999507e-3f));
  p = V::fma(p, r, V::set1(8.3334519073e-3f));
  p = V::fma(p, r, V::set1(4.1665795894e-2f));
  p = V::fma(p, r, V::set1(1.6666665459e-1f));
  p = V::fma(p, r, V::set1(5.0000001201e-1f));
  p = V::fma(V::fma(p, r, V::set1(1)), r, V::set1(1));
  return V::zero_where(underflow, V::scale_pow2(p, n));
}

// Abramowitz and Stegun 7.1.26: erf x = 1 - (a1 t + … + a5 t⁵) e^{-x²}, t = 1 / (1 + p x), for x ≥ 0; odd.
template <class V>
LLMKIT_INLINE typename V::R erf_float(typename V::R x) {
  using R = typename V::R;
  const R one = V::set1(1);
  const auto negative = V::less(x, V::zero());
  const R a = V::max(x, V::sub(V::zero(), x));
  const R t = V::div(one, V::fma(V::set1(0.3275911f), a, one));
  R p = V::set1(1.061405429f);
  p = V::fma(p, t, V::set1(-1.453152027f));
  p = V::fma(p, t, V::set1(1.421413741f));
  p = V::fma(p, t, V::set1(-0.284496736f));
  p = V::fma(p, t, V::set1(0.254829592f));
  const R e = exp_float<V>(V::sub(V::zero(), V::mul(a, a)));
  const R y = V::sub(one, V::mul(V::mul(p, t), e));
  return V::select(negative, V::sub(V::zero(), y), y);
}

}  // namespace llmkit::kernels
