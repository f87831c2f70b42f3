// y = act(x);  dx += act'(x) ⊙ dy.    Forms and papers: kernels/activation.h
#include "tensor/ops.h"

namespace llmkit::ops {

Tensor activation(Tape& tape, const Tensor& x, Activation kind) {
  Tensor y = tape.transient_output(x.shape(), x.dtype(), {x});
  dispatch(x.dtype(), [&]<class T>() {
    auto forward = [=](Tape& t) {
      if (!t.planning()) kernels::activation_forward<T>(t.exec(), kind, y.data<T>(), t.value<T>(x), x.size());
    };
    forward(tape);
    tape.remake(y, forward);
    tape.record(y, [=](Tape& t) {
      const T* in = t.value<T>(x);
      if (GradSlot<T> dx = t.gradient<T>(x))
        kernels::activation_backward<T>(t.exec(), kind, dx.data, t.upstream<T>(y), in, x.size(), dx.accumulate);
    });
  });
  return y;
}

}  // namespace llmkit::ops
