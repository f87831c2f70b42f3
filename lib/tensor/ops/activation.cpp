// y = act(x);  dx += act'(x) ⊙ dy.    Forms and papers: kernels/activation.h
#include "tensor/ops.h"

namespace llmkit::ops {

Tensor activation(Tape& tape, const Tensor& x, Activation kind) {
  Tensor y = tape.output(x.shape(), x.dtype(), {x});
  dispatch(x.dtype(), [&]<class T>() {
    if (!tape.planning()) kernels::activation_forward<T>(tape.exec(), kind, y.data<T>(), x.data<T>(), x.size());
    tape.record(y, [=](Tape& t) {
      if (T* dx = t.gradient_sum<T>(x))
        kernels::activation_backward<T>(t.exec(), kind, dx, t.upstream<T>(y), x.data<T>(), x.size());
    });
  });
  return y;
}

}  // namespace llmkit::ops
