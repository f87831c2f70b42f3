// Flat vector arithmetic. Outputs may be one of the inputs.
#pragma once

#include <cstdint>

#include "kernels/exec.h"
#include "kernels/matrix.h"

namespace llmkit::kernels {

template <class T>  // y = a + b
void add(const Exec& ex, T* y, const T* a, const T* b, int64_t n);
template <class T>  // y += x
void add_to(const Exec& ex, T* y, const T* x, int64_t n);
template <class T>  // y = alpha · x
void scale(const Exec& ex, T* y, const T* x, T alpha, int64_t n);
template <class T>  // y += alpha · x
void axpy(const Exec& ex, T* y, T alpha, const T* x, int64_t n);
template <class T>  // y = a · b
void multiply(const Exec& ex, T* y, const T* a, const T* b, int64_t n);
template <class T>  // y += a · b
void multiply_add(const Exec& ex, T* y, const T* a, const T* b, int64_t n);
template <class T>
void fill(const Exec& ex, T* y, T value, int64_t n);
template <class T>
void copy(const Exec& ex, T* y, const T* x, int64_t n);
template <class T>  // rows of y = rows of x, or += : strided slices and concatenations
void copy_rows(const Exec& ex, Matrix<T> y, ConstMatrix<T> x, bool accumulate = false);

}  // namespace llmkit::kernels
