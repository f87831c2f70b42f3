#include "kernels/reduce.h"

#include <algorithm>
#include <cmath>

#include "kernels/vector_table.h"

namespace llmkit::kernels {
namespace {

// partial[i] = f(begin, end) of block i.
template <class F>
void sum_blocks(const Exec& ex, int64_t n, double* partial, F&& f) {
  ex.parallel.for_ranges(n, kSumBlock, [&](int64_t begin, int64_t end) { partial[begin / kSumBlock] = f(begin, end); });
}

template <class F>
double tree_sum(const Exec& ex, int64_t n, F&& f) {
  if (n <= 0) return 0;
  int64_t blocks = (n + kSumBlock - 1) / kSumBlock;
  Scratch scratch(ex.workspace);
  double* partial = scratch.take<double>(blocks);
  sum_blocks(ex, n, partial, f);
  return add_blocks(partial, blocks);
}

}  // namespace

double add_blocks(double* partial, int64_t blocks) {
  for (int64_t width = 1; width < blocks; width *= 2) {
    for (int64_t i = 0; i + width < blocks; i += 2 * width) partial[i] += partial[i + width];
  }
  return blocks > 0 ? partial[0] : 0;
}

template <class T>
double sum(const Exec& ex, const T* x, int64_t n) {
  const auto& k = vector_kernels<T>();
  return tree_sum(ex, n, [&](int64_t begin, int64_t end) { return k.sum(x + begin, end - begin); });
}

template <class T>
double dot(const Exec& ex, const T* a, const T* b, int64_t n) {
  const auto& k = vector_kernels<T>();
  return tree_sum(ex, n, [&](int64_t begin, int64_t end) { return k.dot(a + begin, b + begin, end - begin); });
}

template <class T>
double sum_of_squares(const Exec& ex, const T* x, int64_t n) {
  return dot(ex, x, x, n);
}

template <class T>
void sum_of_squares_blocks(const Exec& ex, const T* x, int64_t n, double* partial) {
  const auto& k = vector_kernels<T>();
  sum_blocks(ex, n, partial, [&](int64_t begin, int64_t end) { return k.dot(x + begin, x + begin, end - begin); });
}

template <class T>
int64_t count_nonfinite(const Exec& ex, const T* x, int64_t n) {
  return static_cast<int64_t>(tree_sum(ex, n, [&](int64_t begin, int64_t end) {
    int64_t bad = 0;
    for (int64_t i = begin; i < end; ++i) bad += !std::isfinite(x[i]);
    return static_cast<double>(bad);
  }));
}

template <class T>
void column_sum(const Exec& ex, T* y, Matrix<const T> x) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(x.cols, 128, [&](int64_t begin, int64_t end) {
    k.column_sum(y + begin, x.data + begin, x.rows, end - begin, x.stride);
  });
}

template <class T>
void softmax_forward(const Exec& ex, Matrix<T> y, ConstMatrix<T> x) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(y.rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) k.softmax(y.row(i), x.row(i), y.cols);
  });
}

template <class T>
void softmax_backward(const Exec& ex, Matrix<T> dx, ConstMatrix<T> dy, ConstMatrix<T> y) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(dx.rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) k.softmax_backward(dx.row(i), dy.row(i), y.row(i), dx.cols);
  });
}

#define LLMKIT_INSTANTIATE(T)                                                   \
  template double sum(const Exec&, const T*, int64_t);                          \
  template double dot(const Exec&, const T*, const T*, int64_t);                \
  template double sum_of_squares(const Exec&, const T*, int64_t);               \
  template void sum_of_squares_blocks(const Exec&, const T*, int64_t, double*); \
  template int64_t count_nonfinite(const Exec&, const T*, int64_t);             \
  template void column_sum(const Exec&, T*, Matrix<const T>);                   \
  template void softmax_forward(const Exec&, Matrix<T>, ConstMatrix<T>);        \
  template void softmax_backward(const Exec&, Matrix<T>, ConstMatrix<T>, ConstMatrix<T>);
LLMKIT_INSTANTIATE(float)
LLMKIT_INSTANTIATE(double)
#undef LLMKIT_INSTANTIATE

}  // namespace llmkit::kernels
