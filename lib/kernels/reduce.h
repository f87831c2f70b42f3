// Sums and row-wise softmax. Flat sums go in blocks of a fixed size, each summed in double, and the blocks add in a
// fixed binary tree: the same bits for any thread count.
#pragma once

#include <cstdint>

#include "kernels/exec.h"
#include "kernels/matrix.h"

namespace llmkit::kernels {

template <class T>
double sum(const Exec& ex, const T* x, int64_t n);
template <class T>
double sum_of_squares(const Exec& ex, const T* x, int64_t n);
// The same in two parts, for a block of which others have the rest: partial[i] of the i-th kSumBlock elements, and then
// the tree over all partials, which it overwrites. A rest at the end is a block.
inline constexpr int64_t kSumBlock = 64 * 1024;
template <class T>
void sum_of_squares_blocks(const Exec& ex, const T* x, int64_t n, double* partial);
double add_blocks(double* partial, int64_t blocks);
template <class T>
double dot(const Exec& ex, const T* a, const T* b, int64_t n);
template <class T>  // how many are NaN or infinite
int64_t count_nonfinite(const Exec& ex, const T* x, int64_t n);
template <class T>  // y[N] += Σ_m x[m,N]: the gradient of a bias
void column_sum(const Exec& ex, T* y, Matrix<const T> x);

template <class T>  // rows of y = softmax of rows of x; y may be x; -inf entries have probability 0
void softmax_forward(const Exec& ex, Matrix<T> y, ConstMatrix<T> x);
template <class T>  // dx += y · (dy - Σ dy·y)
void softmax_backward(const Exec& ex, Matrix<T> dx, ConstMatrix<T> dy, ConstMatrix<T> y);

}  // namespace llmkit::kernels
