// A row-major matrix in someone else's memory: rows × cols, `stride` elements from one row to the next.
#pragma once

#include <cstdint>
#include <type_traits>

namespace llmkit::kernels {

template <class T>
struct Matrix {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;

  Matrix() = default;
  Matrix(T* d, int64_t r, int64_t c) : data(d), rows(r), cols(c), stride(c) {}
  Matrix(T* d, int64_t r, int64_t c, int64_t s) : data(d), rows(r), cols(c), stride(s) {}
  // A matrix of T may be read as one of const T.
  template <class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
  Matrix(const Matrix<U>& m) : data(m.data), rows(m.rows), cols(m.cols), stride(m.stride) {}

  T* row(int64_t i) const { return data + i * stride; }
};

// The same type, but no deduction from the argument: gemm_nn(ex, c, a, b) takes T from c.
template <class T>
using ConstMatrix = Matrix<const std::type_identity_t<T>>;

}  // namespace llmkit::kernels
