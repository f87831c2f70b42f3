// Shape and element type of a tensor. Tensors are dense and row-major; the last dimension is contiguous.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "base/error.h"

namespace llmkit {

enum class DType : uint8_t { f32, f64 };

inline int64_t element_bytes(DType dtype) {
  return dtype == DType::f32 ? 4 : 8;
}
template <class T>
constexpr DType dtype_of() {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
  return std::is_same_v<T, float> ? DType::f32 : DType::f64;
}

// Calls f.template operator()<float>() or <double>().
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  return dtype == DType::f32 ? f.template operator()<float>() : f.template operator()<double>();
}

class Shape {
 public:
  static constexpr int kMaxRank = 5;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) {
    if (dims.size() > kMaxRank) throw Error("a tensor has at most 5 dimensions");
    for (int64_t d : dims) dims_[rank_++] = d;
  }

  int rank() const { return rank_; }
  // Negative indices count from the end.
  int64_t operator[](int i) const { return dims_[i < 0 ? rank_ + i : i]; }
  int64_t size() const {
    int64_t n = 1;
    for (int i = 0; i < rank_; ++i) n *= dims_[i];
    return n;
  }
  // All dimensions but the last as one: the rows of a matrix whose width is the last dimension.
  int64_t rows() const { return rank_ == 0 ? 1 : size() / std::max<int64_t>(1, dims_[rank_ - 1]); }
  Shape with_last(int64_t width) const {
    Shape s = *this;
    s.dims_[s.rank_ - 1] = width;
    return s;
  }
  friend bool operator==(const Shape& a, const Shape& b) { return a.rank_ == b.rank_ && a.dims_ == b.dims_; }

  std::string text() const {
    std::string out = "[";
    for (int i = 0; i < rank_; ++i) out += (i ? ", " : "") + std::to_string(dims_[i]);
    return out + "]";
  }

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

}  // namespace llmkit
