// y = a + b;  da += dy,  db += dy.    All of one shape.
#include "kernels/elementwise.h"
#include "tensor/ops.h"

namespace llmkit::ops {

Tensor add(Tape& tape, const Tensor& a, const Tensor& b) {
  expect_shape("add", "b", b, a.shape());
  Tensor y = tape.output(a.shape(), a.dtype(), {a, b});
  dispatch(a.dtype(), [&]<class T>() {
    if (!tape.planning()) kernels::add<T>(tape.exec(), y.data<T>(), a.data<T>(), b.data<T>(), a.size());
    tape.record(y, [=](Tape& t) {
      if (GradSlot<T> da = t.gradient<T>(a)) {
        if (da.accumulate)
          kernels::add_to<T>(t.exec(), da.data, t.upstream<T>(y), a.size());
        else
          kernels::copy<T>(t.exec(), da.data, t.upstream<T>(y), a.size());
      }
      t.pass_gradient(y, b);
    });
  });
  return y;
}

}  // namespace llmkit::ops
