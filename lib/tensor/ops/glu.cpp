// Gated linear unit (Shazeer 2020): x = [gate | up] of width 2D,  y = act(gate) ⊙ up.
//   dgate += act'(gate) ⊙ up ⊙ dy,  dup += act(gate) ⊙ dy
#include "tensor/ops.h"

namespace llmkit::ops {

Tensor glu(Tape& tape, const Tensor& x, Activation kind) {
  int64_t rows = x.rows(), width = x.dim(-1) / 2;
  if (x.dim(-1) % 2 != 0) throw Error("glu needs an even width, found " + x.shape().text());
  Tensor y = tape.output(x.shape().with_last(width), x.dtype(), {x});
  dispatch(x.dtype(), [&]<class T>() {
    using kernels::Matrix;
    if (!tape.planning())
      kernels::glu_forward<T>(tape.exec(), kind, {y.data<T>(), rows, width}, Matrix<const T>(x.data<T>(), rows, width, 2 * width),
                              Matrix<const T>(x.data<T>() + width, rows, width, 2 * width));
    tape.record(y, [=](Tape& t) {
      T* dx = t.gradient_sum<T>(x);
      if (!dx) return;
      kernels::glu_backward<T>(t.exec(), kind, {dx, rows, width, 2 * width}, {dx + width, rows, width, 2 * width},
                               {t.upstream<T>(y), rows, width}, {x.data<T>(), rows, width, 2 * width},
                               {x.data<T>() + width, rows, width, 2 * width});
    });
  });
  return y;
}

}  // namespace llmkit::ops
