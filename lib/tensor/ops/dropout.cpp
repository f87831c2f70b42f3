// Inverted dropout with the residual addition that usually follows it.
//   y = keep ⊙ x / (1 - rate) + residual;  dx += keep ⊙ dy / (1 - rate),  dresidual += dy
// keep is drawn again in the backward from the same key, nothing is stored. Each sequence has its own stream, so a
// mask depends neither on how sequences are grouped into micro-batches nor on the thread or rank that computes it.
#include "kernels/dropout.h"

#include "base/rng.h"
#include "kernels/elementwise.h"
#include "tensor/ops.h"

namespace llmkit::ops {

const uint64_t* dropout_keys(Tape& tape, const DropoutSite& site) {
  uint64_t* keys = tape.save<uint64_t>(site.sequences);
  if (!tape.planning())
    for (int64_t s = 0; s < site.sequences; ++s)
      keys[s] = stream_key(
          {tape.seed(), tape.step(), site.first_sequence_id + static_cast<uint64_t>(s), site.layer, site.site});
  return keys;
}

Tensor dropout(Tape& tape, const Tensor& x, const DropoutSite& site, const Tensor& residual) {
  if (residual) expect_shape("dropout", "residual", residual, x.shape());
  if (site.rate <= 0) return residual ? add(tape, x, residual) : x;
  if (site.rate >= 1 || x.rows() % site.sequences != 0)
    throw Error("dropout: rate in [0, 1) and equal sequences expected");
  Tensor y = tape.output(x.shape(), x.dtype(), {x, residual});
  const uint64_t* keys = dropout_keys(tape, site);
  int64_t sequences = site.sequences, part = x.size() / sequences;
  double rate = site.rate;
  dispatch(x.dtype(), [&]<class T>() {
    if (!tape.planning()) {
      if (residual) kernels::copy<T>(tape.exec(), y.data<T>(), residual.data<T>(), x.size());
      kernels::dropout<T>(tape.exec(), y.data<T>(), x.data<T>(), sequences, part, keys, rate,
                          static_cast<bool>(residual));
    }
    tape.record(y, [=](Tape& t) {
      if (GradSlot<T> dx = t.gradient<T>(x))
        kernels::dropout<T>(t.exec(), dx.data, t.upstream<T>(y), sequences, part, keys, rate, dx.accumulate);
      t.pass_gradient(y, residual);
    });
  });
  return y;
}

}  // namespace llmkit::ops
