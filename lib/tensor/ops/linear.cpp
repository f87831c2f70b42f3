// Linear layer with everything that may be fused into its product.
//   z = x Wᵀ + bias,  y = act(z) + residual        x [M, K], W [N, K], bias [N], residual, y [M, N]
//   dz = act'(z) ⊙ dy,  dx += dz W,  dW += dzᵀ x,  dbias += Σ_m dz_m,  dresidual += dy
#include <algorithm>

#include "kernels/elementwise.h"
#include "kernels/reduce.h"
#include "tensor/ops.h"
#include "tensor/weight_cache.h"

namespace llmkit::ops {
namespace {

using kernels::Matrix;

template <class T>
kernels::Epilogue<T> accumulating(bool accumulate) {
  kernels::Epilogue<T> epilogue;
  epilogue.accumulate = accumulate;
  return epilogue;
}

// Products with a float weight go through its packed copies; all else packs on the fly.
template <class T>
void multiply_by_weight(Tape& tape, Matrix<T> c, Matrix<const T> a, const Tensor& weight, bool transposed,
                        const kernels::Epilogue<T>& epilogue) {
  Matrix<const T> w(weight.data<T>(), weight.dim(0), weight.dim(1));
  if constexpr (std::is_same_v<T, float>) {
    if (WeightCache* cache = tape.keeps_packed() ? weight.node().cache : nullptr) {
      auto& packed = transposed ? cache->forward(tape.exec(), w, tape.precision())
                                : cache->backward(tape.exec(), w, tape.precision());
      kernels::gemm_packed(tape.exec(), c, a, packed, epilogue);
      return;
    }
  }
  if (transposed)
    kernels::gemm_nt<T>(tape.exec(), c, a, w, {tape.precision(), epilogue});
  else
    kernels::gemm_nn<T>(tape.exec(), c, a, w, {tape.precision(), epilogue});
}

// The scratch memory of the products.
template <class T>
void plan_products(Tape& tape, int64_t rows, int64_t in, int64_t out) {
  if (!tape.planning()) return;
  using kernels::GemmForm;
  const Precision precision = tape.precision();
  tape.plan_workspace(std::max({kernels::gemm_workspace<T>(GemmForm::nt, rows, out, in, precision),
                                kernels::gemm_workspace<T>(GemmForm::nn, rows, in, out, precision),
                                kernels::gemm_workspace<T>(GemmForm::tn, out, in, rows, precision)}));
}

// The activation's argument, kept for the backward: in bf16 where the products are.
template <class T>
struct Saved {
  T* exact = nullptr;
  kernels::Bf16* rounded = nullptr;

  void forward(Tape& tape, Activation kind, T* y, int64_t n) const {
    if constexpr (std::is_same_v<T, float>) {
      if (rounded) return kernels::activation_forward(tape.exec(), kind, y, rounded, n);
    }
    kernels::activation_forward<T>(tape.exec(), kind, y, exact, n);
  }
  void backward(Tape& tape, Activation kind, T* dz, const T* dy, int64_t n) const {
    if constexpr (std::is_same_v<T, float>) {
      if (rounded) return kernels::activation_backward(tape.exec(), kind, dz, dy, rounded, n, false);
    }
    kernels::activation_backward<T>(tape.exec(), kind, dz, dy, exact, n, false);
  }
};

template <class T>
void backward(Tape& tape, const Tensor& y, const Tensor& x, const Tensor& weight, const LinearOptions& o,
              const Saved<T>& z) {
  int64_t rows = x.rows(), in = weight.dim(1), out = weight.dim(0);
  Tape::Scope scratch(tape);
  const T* dz = tape.upstream<T>(y);
  if (o.activation != Activation::none) {
    // In place of dy, unless the residual is going to need it.
    T* place = o.residual ? tape.save<T>(rows * out) : tape.upstream_in_place<T>(y);
    if (!tape.planning()) z.backward(tape, o.activation, place, dz, rows * out);
    dz = place;
  }
  plan_products<T>(tape, rows, in, out);
  // An activation that was let go is made again while it is packed.
  const bool repeat =
      x.node().forgotten && x.node().activation != Activation::none && tape.precision() != Precision::f16;
  const bool restored = x.node().forgotten && !repeat;
  const T* input = !weight.needs_grad() ? nullptr
                   : repeat             ? static_cast<const T*>(x.node().activated)
                                        : tape.value<T>(x);
  T* dbias = tape.gradient_sum<T>(o.bias);
  if (GradSlot<T> dw = tape.gradient<T>(weight)) {
    kernels::gemm_tn<T>(
        tape.exec(), {dw.data, out, in}, {dz, rows, out}, {input, rows, in},
        {tape.precision(), accumulating<T>(dw.accumulate), dbias, repeat ? x.node().activation : Activation::none});
  } else if (dbias) {
    kernels::column_sum<T>(tape.exec(), dbias, {dz, rows, out});
  }
  if (restored) tape.forget(x);
  if (GradSlot<T> dx = tape.gradient<T>(x))
    multiply_by_weight<T>(tape, {dx.data, rows, in}, {dz, rows, out}, weight, false, accumulating<T>(dx.accumulate));
  tape.pass_gradient(y, o.residual);
}

}  // namespace

Tensor linear(Tape& tape, const Tensor& x, const Tensor& weight, const LinearOptions& o) {
  int64_t rows = x.rows(), in = weight.dim(1), out = weight.dim(0);
  expect_shape("linear", "x", x, x.shape().with_last(in));
  if (o.bias) expect_shape("linear", "bias", o.bias, {out});
  Shape shape = x.shape().with_last(out);
  if (o.residual) expect_shape("linear", "residual", o.residual, shape);
  const bool activated = o.activation != Activation::none;
  Tensor y = activated && !o.residual ? tape.transient_output(shape, x.dtype(), {x, weight, o.bias})
                                      : tape.compact_output(shape, x.dtype(), {x, weight, o.bias, o.residual});
  const bool compact = activated && !o.residual && tape.compacts(x.dtype());

  dispatch(x.dtype(), [&]<class T>() {
    Saved<T> z;
    if (activated && y.needs_grad()) {
      if (compact)
        z.rounded = tape.save<kernels::Bf16>(rows * out);
      else
        z.exact = tape.save<T>(rows * out);
    }
    plan_products<T>(tape, rows, in, out);
    if (!tape.planning()) {
      kernels::Epilogue<T> epilogue;
      epilogue.bias = o.bias ? o.bias.data<T>() : nullptr;
      if (!compact) epilogue.activation = o.activation;
      if (z.exact) epilogue.pre_activation = {z.exact, rows, out};
      if (o.residual) epilogue.residual = {o.residual.data<T>(), rows, out};
      multiply_by_weight<T>(tape, {y.data<T>(), rows, out}, {x.data<T>(), rows, in}, weight, true, epilogue);
      if constexpr (std::is_same_v<T, float>) {
        if (compact) kernels::activate_rounded(tape.exec(), o.activation, y.data<T>(), z.rounded, y.size());
      }
    }
    if (!o.residual && !compact) y.node().activated = z.exact, y.node().activation = o.activation;
    tape.remake(y, [y, z, kind = o.activation](Tape& t) {
      if (!t.planning()) z.forward(t, kind, y.data<T>(), y.size());
    });
    tape.record(y, [y, x, weight, o, z](Tape& t) { backward<T>(t, y, x, weight, o, z); });
  });
  return y;
}

}  // namespace llmkit::ops
