#pragma once

#include "kernels/rope.h"
#include "kernels/simd.h"

namespace llmkit::kernels {

template <class V>
struct RopeKernels {
  using T = typename V::T;
  using R = typename V::R;

  // One token: all heads of row x into row y.
  static void token(const RopeArgs<T>& args, int64_t position, T* y, const T* x, bool accumulate) {
    const int64_t half = args.rotary_dim / 2;
    const T* cos = args.cos + position * half;
    const T* sin = args.sin + position * half;
    const T sign = args.inverse ? T(-1) : T(1);
    for (int64_t h = 0; h < args.heads; ++h, x += args.head_dim, y += args.head_dim) {
      if (args.layout == RopeLayout::rotate_half) {
        const R turn = V::set1(sign);
        for_vectors<V>(half, [&](int64_t j, auto lanes) LLMKIT_INLINE_LAMBDA {
          R c = load<V>(cos + j, lanes), s = V::mul(turn, load<V>(sin + j, lanes));
          R a = load<V>(x + j, lanes), b = load<V>(x + half + j, lanes);
          R first = V::sub(V::mul(a, c), V::mul(b, s));
          R second = V::fma(b, c, V::mul(a, s));
          if (accumulate) {
            first = V::add(first, load<V>(y + j, lanes));
            second = V::add(second, load<V>(y + half + j, lanes));
          }
          store<V>(y + j, first, lanes);
          store<V>(y + half + j, second, lanes);
        });
      } else {
        for (int64_t j = 0; j < half; ++j) {
          T a = x[2 * j], b = x[2 * j + 1], s = sign * sin[j];
          T first = a * cos[j] - b * s, second = b * cos[j] + a * s;
          y[2 * j] = accumulate ? y[2 * j] + first : first;
          y[2 * j + 1] = accumulate ? y[2 * j + 1] + second : second;
        }
      }
      for (int64_t j = args.rotary_dim; j < args.head_dim; ++j) y[j] = accumulate ? y[j] + x[j] : x[j];
    }
  }
};

}  // namespace llmkit::kernels
