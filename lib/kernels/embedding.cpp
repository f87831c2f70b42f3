#include "kernels/embedding.h"

#include <algorithm>
#include <cstring>

#include "kernels/vector_table.h"

namespace llmkit::kernels {

template <class T>
void embedding_forward(const Exec& ex, Matrix<T> y, ConstMatrix<T> table, const int32_t* ids, bool accumulate) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(y.rows, 32, [&](int64_t begin, int64_t end) {
    for (int64_t m = begin; m < end; ++m) {
      const T* row = table.row(ids[m]);
      if (accumulate) {
        k.add(y.row(m), y.row(m), row, y.cols);
      } else {
        std::memcpy(y.row(m), row, sizeof(T) * static_cast<size_t>(y.cols));
      }
    }
  });
}

template <class T>
void embedding_backward(const Exec& ex, Matrix<T> dtable, ConstMatrix<T> dy, const int32_t* ids) {
  const auto& k = vector_kernels<T>();
  const int64_t tokens = dy.rows, rows = dtable.rows;
  Scratch scratch(ex.workspace);
  // Counting sort: order[start[v] … start[v+1]) are the tokens with id v, ascending.
  int32_t* start = scratch.take<int32_t>(rows + 1);
  int32_t* order = scratch.take<int32_t>(tokens);
  std::fill(start, start + rows + 1, 0);
  for (int64_t m = 0; m < tokens; ++m) ++start[ids[m] + 1];
  for (int64_t v = 0; v < rows; ++v) start[v + 1] += start[v];
  for (int64_t m = 0; m < tokens; ++m) order[start[ids[m]]++] = static_cast<int32_t>(m);  // start[v] is now its end
  ex.parallel.for_ranges(rows, 256, [&](int64_t begin, int64_t end) {
    for (int64_t v = begin; v < end; ++v) {
      for (int32_t i = v == 0 ? 0 : start[v - 1]; i < start[v]; ++i) {
        k.add(dtable.row(v), dtable.row(v), dy.row(order[i]), dtable.cols);
      }
    }
  });
}

#define LLMKIT_INSTANTIATE(T)                                                                    \
  template void embedding_forward(const Exec&, Matrix<T>, ConstMatrix<T>, const int32_t*, bool); \
  template void embedding_backward(const Exec&, Matrix<T>, ConstMatrix<T>, const int32_t*);
LLMKIT_INSTANTIATE(float)
LLMKIT_INSTANTIATE(double)
#undef LLMKIT_INSTANTIATE

}  // namespace llmkit::kernels
