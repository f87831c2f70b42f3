// Table lookup and its gradient. The backward sorts the tokens by id (stable) and adds each row's contributions in
// token order: no atomics, the same bits for any thread count.
#pragma once

#include <cstdint>

#include "kernels/exec.h"
#include "kernels/matrix.h"

namespace llmkit::kernels {

template <class T>  // y[m] (+)= table[ids[m]] for m < y.rows; 0 ≤ ids[m] < table.rows is the caller's promise
void embedding_forward(const Exec& ex, Matrix<T> y, ConstMatrix<T> table, const int32_t* ids, bool accumulate = false);
template <class T>  // dtable[ids[m]] += dy[m]
void embedding_backward(const Exec& ex, Matrix<T> dtable, ConstMatrix<T> dy, const int32_t* ids);

}  // namespace llmkit::kernels
