// y = Σ w_i x_i, added in order;  dx_i += w_i dy.    x of any shape, y [1]
#include "tensor/ops.h"

namespace llmkit::ops {

Tensor weighted_sum(Tape& tape, const Tensor& x, std::span<const double> weights) {
  int64_t n = x.size();
  if (!tape.planning() && static_cast<int64_t>(weights.size()) != n)
    throw Error("weighted_sum: one weight per element expected");
  Tensor y = tape.output({1}, x.dtype(), {x});
  const double* kept = tape.save_copy(weights.data(), n);
  dispatch(x.dtype(), [&]<class T>() {
    if (!tape.planning()) {
      double sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += kept[i] * static_cast<double>(x.data<T>()[i]);
      *y.data<T>() = static_cast<T>(sum);
    }
    tape.record(y, [=](Tape& t) {
      T* dx = t.gradient_sum<T>(x);
      if (!dx) return;
      double dy = static_cast<double>(*t.upstream<T>(y));
      for (int64_t i = 0; i < n; ++i) dx[i] += static_cast<T>(dy * kept[i]);
    });
  });
  return y;
}

}  // namespace llmkit::ops
