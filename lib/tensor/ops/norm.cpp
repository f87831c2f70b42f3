// Layer and root mean square normalisation over the last dimension; equations and papers: kernels/norm.h
//   with n = (x - mean)·rstd and g = dy ⊙ weight:
//   layer  dx = rstd (g - mean(g) - n mean(g ⊙ n));   rms  dx = rstd (g - n mean(g ⊙ n)), n = x·rstd
// With bf16 products the backward reads an x that was kept in bf16; x itself may be let go.
#include "tensor/ops.h"

namespace llmkit::ops {

Tensor norm(Tape& tape, const Tensor& x, const Tensor& weight, const Tensor& bias, const NormOptions& options) {
  int64_t rows = x.rows(), dim = x.dim(-1);
  if (weight) expect_shape("norm", "weight", weight, {dim});
  if (bias) expect_shape("norm", "bias", bias, {dim});
  Tensor y = tape.transient_output(x.shape(), x.dtype(), {x, weight, bias});
  NormKind kind = options.kind;
  dispatch(x.dtype(), [&]<class T>() {
    T* mean = y.needs_grad() && kind == NormKind::layer ? tape.save<T>(rows) : nullptr;
    T* rstd = y.needs_grad() ? tape.save<T>(rows) : nullptr;
    const bool compact = y.needs_grad() && tape.compacts(x.dtype());
    kernels::Bf16* kept = compact ? tape.save<kernels::Bf16>(x.size()) : nullptr;
    auto forward = [=, epsilon = options.epsilon](Tape& t, bool again) {
      const T* in = again && compact ? nullptr : t.value<T>(x);
      if (t.planning()) return;
      kernels::NormArgs<T> args;
      args.kind = kind;
      args.rows = rows;
      args.dim = dim;
      args.epsilon = static_cast<T>(epsilon);
      args.x = in;
      if (again)
        args.kept = kept;
      else
        args.keep = kept;
      args.weight = weight ? weight.data<T>() : nullptr;
      args.bias = bias ? bias.data<T>() : nullptr;
      args.y = y.data<T>();
      args.mean = again ? nullptr : mean;
      args.rstd = again ? nullptr : rstd;
      kernels::norm_forward<T>(t.exec(), args);
    };
    forward(tape, false);
    tape.remake(y, [=](Tape& t) { forward(t, true); });
    tape.record(y, [=](Tape& t) {
      kernels::NormGradient<T> args;
      args.kind = kind;
      args.rows = rows;
      args.dim = dim;
      args.s = compact ? nullptr : t.value<T>(x);
      args.kept = kept;
      args.weight = weight ? weight.data<T>() : nullptr;
      args.mean = mean;
      args.rstd = rstd;
      args.dy = t.upstream<T>(y);
      args.dx = t.gradient_sum<T>(x);
      args.dweight = t.gradient_sum<T>(weight);
      args.dbias = t.gradient_sum<T>(bias);
      if (!t.planning()) kernels::norm_backward<T>(t.exec(), args);
    });
  });
  return y;
}

}  // namespace llmkit::ops
