// Table lookup.  y[m] = table[ids[m]] + residual[m];  dtable[ids[m]] += dy[m], in token order,  dresidual += dy
//   table [V, D], ids [M], residual and y [M, D]
#include "kernels/embedding.h"

#include <string>

#include "kernels/elementwise.h"
#include "tensor/ops.h"

namespace llmkit::ops {

Tensor embedding(Tape& tape, const Tensor& table, std::span<const int32_t> ids, const Tensor& residual) {
  int64_t rows = static_cast<int64_t>(ids.size()), entries = table.dim(0), width = table.dim(1);
  if (residual) expect_shape("embedding", "residual", residual, {rows, width});
  Tensor y = tape.output({rows, width}, table.dtype(), {table, residual});
  if (!tape.planning())
    for (int64_t m = 0; m < rows; ++m)
      if (ids[m] < 0 || ids[m] >= entries)
        throw Error({.what = "token id outside the embedding table",
                     .where = "position " + std::to_string(m),
                     .expected = "0 to " + std::to_string(entries - 1),
                     .found = std::to_string(ids[m]),
                     .hint = "was the data made with this model's tokenizer?"});
  const int32_t* kept = y.needs_grad() ? tape.save_copy(ids.data(), rows) : ids.data();
  dispatch(table.dtype(), [&]<class T>() {
    if (!tape.planning()) {
      if (residual) kernels::copy<T>(tape.exec(), y.data<T>(), residual.data<T>(), y.size());
      kernels::embedding_forward<T>(tape.exec(), {y.data<T>(), rows, width}, {table.data<T>(), entries, width}, kept,
                                    static_cast<bool>(residual));
    }
    tape.record(y, [=](Tape& t) {
      if (T* dtable = t.gradient_sum<T>(table))
        kernels::embedding_backward<T>(t.exec(), {dtable, entries, width}, {t.upstream<T>(y), rows, width}, kept);
      t.pass_gradient(y, residual);
    });
  });
  return y;
}

}  // namespace llmkit::ops
