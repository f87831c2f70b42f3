// Rotary position embedding of the first `heads` heads of each row (queries and keys of a fused qkv matrix); the other
// columns pass. A rotation is orthogonal, so the backward turns the gradient back: dx += R(-position·frequency) dy.
#include <algorithm>
#include <string>

#include "kernels/elementwise.h"
#include "tensor/ops.h"

namespace llmkit::ops {
namespace {

template <class T>
kernels::RopeArgs<T> arguments(const RopeTables& tables, const RopeOptions& o, const int32_t* positions, bool inverse) {
  kernels::RopeArgs<T> args;
  args.layout = o.layout;
  args.heads = o.heads;
  args.head_dim = o.head_dim;
  args.rotary_dim = tables.rotary_dim;
  args.positions = positions;
  args.cos = static_cast<const T*>(tables.cos);
  args.sin = static_cast<const T*>(tables.sin);
  args.inverse = inverse;
  return args;
}

}  // namespace

Tensor rope(Tape& tape, const Tensor& x, const RopeTables& tables, std::span<const int32_t> positions,
            const RopeOptions& o) {
  int64_t rows = x.rows(), width = x.dim(-1), turned = o.heads * o.head_dim;
  if (turned > width || tables.rotary_dim > o.head_dim) throw Error("rope: heads wider than x " + x.shape().text());
  if (!tape.planning()) {
    if (static_cast<int64_t>(positions.size()) != rows) throw Error("rope: one position per row expected");
    for (int32_t p : positions)
      if (p < 0 || p >= tables.positions)
        throw Error({.what = "position outside the context",
                     .where = {},
                     .expected = "below " + std::to_string(tables.positions),
                     .found = std::to_string(p),
                     .hint = "shorten the input or raise max_position_embeddings"});
  }
  Tensor y = o.in_place ? tape.alias(x, {x}) : tape.output(x.shape(), x.dtype(), {x});
  const int32_t* kept = y.needs_grad() ? tape.save_copy(positions.data(), rows) : positions.data();
  dispatch(x.dtype(), [&]<class T>() {
    if (!tape.planning()) {
      if (!o.in_place) kernels::copy<T>(tape.exec(), y.data<T>(), x.data<T>(), x.size());
      kernels::rope<T>(tape.exec(), arguments<T>(tables, o, kept, false), {y.data<T>(), rows, turned, width},
                       {y.data<T>(), rows, turned, width});
    }
    tape.record(y, [=](Tape& t) {
      if (T* dy = t.upstream_in_place<T>(y))
        kernels::rope<T>(t.exec(), arguments<T>(tables, o, kept, true), {dy, rows, turned, width},
                         {dy, rows, turned, width});
      t.pass_gradient(y, x);
    });
  });
  return y;
}

}  // namespace llmkit::ops
