// Gated linear unit (Shazeer 2020): x = [gate | up] of width 2D,  y = act(gate) ⊙ up.
//   dgate += act'(gate) ⊙ up ⊙ dy,  dup += act(gate) ⊙ dy.    y can be made again from x.
#include "tensor/ops.h"

namespace llmkit::ops {

Tensor glu(Tape& tape, const Tensor& x, Activation kind) {
  int64_t rows = x.rows(), width = x.dim(-1) / 2;
  if (x.dim(-1) % 2 != 0) throw Error("glu needs an even width, found " + x.shape().text());
  Tensor y = tape.transient_output(x.shape().with_last(width), x.dtype(), {x});
  dispatch(x.dtype(), [&]<class T>() {
    using kernels::Matrix;
    auto forward = [=](Tape& t) {
      if (t.planning()) return;
      const T* in = t.value<T>(x);
      kernels::glu_forward<T>(t.exec(), kind, {y.data<T>(), rows, width}, Matrix<const T>(in, rows, width, 2 * width),
                              Matrix<const T>(in + width, rows, width, 2 * width));
    };
    forward(tape);
    tape.remake(y, forward);
    tape.record(y, [=](Tape& t) {
      const T* in = t.value<T>(x);
      GradSlot<T> dx = t.gradient<T>(x);
      if (!dx) return;
      kernels::glu_backward<T>(t.exec(), kind, {dx.data, rows, width, 2 * width},
                               {dx.data + width, rows, width, 2 * width}, {t.upstream<T>(y), rows, width},
                               {in, rows, width, 2 * width}, {in + width, rows, width, 2 * width}, dx.accumulate);
    });
  });
  return y;
}

}  // namespace llmkit::ops
