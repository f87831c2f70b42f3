// Log-probabilities of given tokens without a logits tensor (kernels/logprob.h).
//   lp_i = z_i,target - log Σ_v e^{z_iv},  z_i = h_i Wᵀ;   dz_iv = a_i ([v = target_i] - p_iv) for upstream a
// token_logprobs takes any upstream gradient and computes the logits a second time in the backward. token_loss knows
// its weights beforehand and gets the gradients of hidden and W in the same pass as the logits.
#include <algorithm>
#include <string>

#include "kernels/elementwise.h"
#include "kernels/logprob.h"
#include "tensor/ops.h"

namespace llmkit::ops {
namespace {

template <class T>
kernels::LogprobArgs<T> arguments(Tape& tape, const Tensor& hidden, const Tensor& weight, const int32_t* targets) {
  kernels::LogprobArgs<T> args;
  args.hidden = {tape.value<T>(hidden), hidden.rows(), hidden.dim(-1)};
  args.weight = {weight.data<T>(), weight.dim(0), weight.dim(1)};
  args.targets = targets;
  args.precision = tape.precision();
  return args;
}

void plan_workspace(Tape& tape, const Tensor& hidden, const Tensor& weight, bool gradient) {
  if (!tape.planning()) return;
  tape.plan_workspace(kernels::logprob_workspace(hidden.rows(), weight.dim(0), weight.dim(1),
                                                 static_cast<size_t>(element_bytes(hidden.dtype())), tape.precision(),
                                                 gradient));
}

void check(Tape& tape, const Tensor& hidden, const Tensor& weight, std::span<const int32_t> targets) {
  expect_shape("token_logprobs", "hidden", hidden, hidden.shape().with_last(weight.dim(1)));
  if (tape.planning()) return;
  if (static_cast<int64_t>(targets.size()) != hidden.rows()) throw Error("token_logprobs: one target per row expected");
  for (int32_t t : targets)
    if (t >= weight.dim(0))
      throw Error({.what = "target id outside the vocabulary",
                   .where = {},
                   .expected = "below " + std::to_string(weight.dim(0)),
                   .found = std::to_string(t),
                   .hint = "was the data made with this model's tokenizer?"});
}

}  // namespace

Tensor token_logprobs(Tape& tape, const Tensor& hidden, const Tensor& weight, std::span<const int32_t> targets) {
  check(tape, hidden, weight, targets);
  int64_t rows = hidden.rows();
  Tensor y = tape.output({rows}, hidden.dtype(), {hidden, weight});
  plan_workspace(tape, hidden, weight, y.needs_grad());
  const int32_t* kept = y.needs_grad() ? tape.save_copy(targets.data(), rows) : targets.data();
  dispatch(hidden.dtype(), [&]<class T>() {
    T* lse = tape.save<T>(rows);
    if (!tape.planning())
      kernels::logprob_forward<T>(tape.exec(), arguments<T>(tape, hidden, weight, kept), y.data<T>(), lse);
    tape.record(y, [=](Tape& t) {
      kernels::LogprobGradient<T> g;
      g.dlogprob = t.upstream<T>(y);
      g.dhidden = {t.gradient_sum<T>(hidden), rows, hidden.dim(-1)};
      g.dweight = {t.gradient_sum<T>(weight), weight.dim(0), weight.dim(1)};
      if (!t.planning()) kernels::logprob_backward<T>(t.exec(), arguments<T>(t, hidden, weight, kept), lse, g);
    });
  });
  return y;
}

Tensor token_loss(Tape& tape, const Tensor& hidden, const Tensor& weight, std::span<const int32_t> targets,
                  std::span<const float> weights, double z_weight) {
  check(tape, hidden, weight, targets);
  int64_t rows = hidden.rows();
  if (!tape.planning() && static_cast<int64_t>(weights.size()) != rows)
    throw Error("token_loss: one weight per row expected");
  Tensor y = tape.output({1}, hidden.dtype(), {hidden, weight});
  plan_workspace(tape, hidden, weight, y.needs_grad());
  // A row without weight is no target: the kernel leaves it out.
  int32_t* kept = tape.save<int32_t>(rows);
  if (!tape.planning())
    for (int64_t i = 0; i < rows; ++i) kept[i] = weights[i] != 0 ? targets[i] : -1;
  dispatch(hidden.dtype(), [&]<class T>() {
    T* logprob = tape.save<T>(rows);
    T* lse = tape.save<T>(rows);
    T* upstream = tape.save<T>(rows);
    kernels::LogprobGradient<T> g;
    g.dlogprob = upstream;
    g.z_weight = static_cast<T>(z_weight);
    if (y.needs_grad()) {
      g.dhidden = {tape.gradient_sum<T>(hidden), rows, hidden.dim(-1)};
      GradSlot<T> dweight = tape.gradient<T>(weight);
      g.dweight = {dweight.data, weight.dim(0), weight.dim(1)};
      g.overwrite_weight = !dweight.accumulate;
    }
    if (!tape.planning()) {
      for (int64_t i = 0; i < rows; ++i) upstream[i] = static_cast<T>(-weights[i]);
      auto args = arguments<T>(tape, hidden, weight, kept);
      if (y.needs_grad())
        kernels::logprob_forward_backward<T>(tape.exec(), args, logprob, lse, g);
      else
        kernels::logprob_forward<T>(tape.exec(), args, logprob, lse);
      double sum = 0;
      for (int64_t i = 0; i < rows; ++i)
        if (kept[i] >= 0) {
          auto z = static_cast<double>(lse[i]);
          sum += static_cast<double>(weights[i]) * (z_weight * z * z - static_cast<double>(logprob[i]));
        }
      *y.data<T>() = static_cast<T>(sum);
    }
    tape.record(y, [=](Tape& t) {
      if (!t.planning() && *t.upstream<T>(y) != T(1))
        throw Error("token_loss: backward() must start here, with gradient 1");
    });
  });
  return y;
}

}  // namespace llmkit::ops
