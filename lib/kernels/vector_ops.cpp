// The flat and row-wise operations: cut into tiles here, computed by the active instruction set's row kernels.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/activation.h"
#include "kernels/elementwise.h"
#include "kernels/norm.h"
#include "kernels/rope.h"
#include "kernels/vector_table.h"

namespace llmkit::kernels {
namespace {

constexpr int64_t kGrain = 16 * 1024;  // elements of a flat tile

// Rows of a tile, so that it holds about kGrain elements.
int64_t row_grain(int64_t cols) {
  return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, cols));
}

template <class T>
bool contiguous(const Matrix<T>& m) {
  return m.stride == m.cols || m.rows <= 1;
}

}  // namespace

template <class T>
void add(const Exec& ex, T* y, const T* a, const T* b, int64_t n) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) { k.add(y + i, a + i, b + i, end - i); });
}

template <class T>
void add_to(const Exec& ex, T* y, const T* x, int64_t n) {
  add(ex, y, static_cast<const T*>(y), x, n);
}

template <class T>
void scale(const Exec& ex, T* y, const T* x, T alpha, int64_t n) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) { k.scale(y + i, x + i, alpha, end - i); });
}

template <class T>
void axpy(const Exec& ex, T* y, T alpha, const T* x, int64_t n) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) { k.axpy(y + i, alpha, x + i, end - i); });
}

template <class T>
void multiply(const Exec& ex, T* y, const T* a, const T* b, int64_t n) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) { k.multiply(y + i, a + i, b + i, end - i); });
}

template <class T>
void multiply_add(const Exec& ex, T* y, const T* a, const T* b, int64_t n) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) { k.multiply_add(y + i, a + i, b + i, end - i); });
}

template <class T>
void fill(const Exec& ex, T* y, T value, int64_t n) {
  ex.parallel.for_ranges(n, 4 * kGrain, [&](int64_t i, int64_t end) { std::fill(y + i, y + end, value); });
}

template <class T>
void copy(const Exec& ex, T* y, const T* x, int64_t n) {
  ex.parallel.for_ranges(n, 4 * kGrain, [&](int64_t i, int64_t end) {
    std::memmove(y + i, x + i, sizeof(T) * static_cast<size_t>(end - i));
  });
}

template <class T>
void copy_rows(const Exec& ex, Matrix<T> y, ConstMatrix<T> x, bool accumulate) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(y.rows, row_grain(y.cols), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (accumulate) {
        k.add(y.row(i), y.row(i), x.row(i), y.cols);
      } else {
        std::memmove(y.row(i), x.row(i), sizeof(T) * static_cast<size_t>(y.cols));
      }
    }
  });
}

template <class T>
void activation_forward(const Exec& ex, Activation kind, T* y, const T* x, int64_t n) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) { k.activation_forward(kind, y + i, x + i, end - i); });
}

template <class T>
void activation_backward(const Exec& ex, Activation kind, T* dx, const T* dy, const T* x, int64_t n, bool accumulate) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) {
    k.activation_backward(kind, dx + i, dy + i, x + i, end - i, accumulate);
  });
}

namespace {
// f(scratch, first, count) for pieces of [0, n) that stay in the first cache.
template <class F>
void for_pieces(const Exec& ex, int64_t n, F&& f) {
  constexpr int64_t kPiece = 1024;
  ex.parallel.for_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    alignas(64) float scratch[kPiece];
    for (int64_t i = begin; i < end; i += kPiece) f(scratch, i, std::min(kPiece, end - i));
  });
}
}  // namespace

void activate_rounded(const Exec& ex, Activation kind, float* x, Bf16* rounded, int64_t n) {
  const auto& k = vector_kernels<float>();
  for_pieces(ex, n, [&](float* scratch, int64_t i, int64_t count) {
    Bf16* to = rounded ? rounded + i : reinterpret_cast<Bf16*>(scratch);
    k.to_bf16(to, x + i, count);
    k.from_bf16(x + i, to, count);
    if (kind != Activation::none) k.activation_forward(kind, x + i, x + i, count);
  });
}

void activation_forward(const Exec& ex, Activation kind, float* y, const Bf16* x, int64_t n) {
  const auto& k = vector_kernels<float>();
  for_pieces(ex, n, [&](float*, int64_t i, int64_t count) {
    k.from_bf16(y + i, x + i, count);
    k.activation_forward(kind, y + i, y + i, count);
  });
}

void activation_backward(const Exec& ex, Activation kind, float* dx, const float* dy, const Bf16* x, int64_t n,
                         bool accumulate) {
  const auto& k = vector_kernels<float>();
  for_pieces(ex, n, [&](float* scratch, int64_t i, int64_t count) {
    k.from_bf16(scratch, x + i, count);
    k.activation_backward(kind, dx + i, dy + i, scratch, count, accumulate);
  });
}

template <class T>
void glu_forward(const Exec& ex, Activation kind, Matrix<T> y, ConstMatrix<T> gate, ConstMatrix<T> up) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(y.rows, row_grain(y.cols), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) k.glu_forward(kind, y.row(i), gate.row(i), up.row(i), y.cols);
  });
}

template <class T>
void glu_backward(const Exec& ex, Activation kind, Matrix<T> dgate, Matrix<T> dup, ConstMatrix<T> dy,
                  ConstMatrix<T> gate, ConstMatrix<T> up, bool accumulate) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(dy.rows, row_grain(dy.cols), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      k.glu_backward(kind, dgate.row(i), dup.row(i), dy.row(i), gate.row(i), up.row(i), dy.cols, accumulate);
    }
  });
}

template <class T>
void norm_forward(const Exec& ex, const NormArgs<T>& args) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(args.rows, row_grain(args.dim), [&](int64_t begin, int64_t end) {
    if (!args.keep && !args.kept) return k.norm_forward(args, begin, end);
    for (int64_t row = begin; row < end; ++row) {
      NormArgs<T> in_cache = args;
      if (args.kept) {
        k.from_bf16(args.y + row * args.dim, args.kept + row * args.dim, args.dim);
        in_cache.x = args.y;
      } else {
        k.to_bf16(args.keep + row * args.dim, args.x + row * args.dim, args.dim);
      }
      k.norm_forward(in_cache, row, row + 1);
    }
  });
}

template <class T>
void norm_backward(const Exec& ex, const NormGradient<T>& args) {
  const auto& k = vector_kernels<T>();
  const int64_t grain = std::max<int64_t>(row_grain(args.dim), (args.rows + 63) / 64);  // at most 64 partial sums
  const int64_t tiles = (args.rows + grain - 1) / grain;
  const int64_t parts = (args.dweight != nullptr) + (args.dbias != nullptr);
  Scratch scratch(ex.workspace);
  T* partial = parts ? scratch.take<T>(tiles * parts * args.dim) : nullptr;
  T* rows = args.kept ? scratch.take<T>(tiles * args.dim) : nullptr;
  ex.parallel.for_ranges(args.rows, grain, [&](int64_t begin, int64_t end) {
    T* own = partial + begin / grain * parts * args.dim;
    T* dweight = args.dweight ? own : nullptr;
    T* dbias = args.dbias ? own + (parts - 1) * args.dim : nullptr;
    std::fill(own, own + parts * args.dim, T(0));
    if (!args.kept) return k.norm_backward(args, dweight, dbias, begin, end);
    NormGradient<T> one = args;
    one.s = rows + begin / grain * args.dim;
    for (int64_t row = begin; row < end; ++row) {
      k.from_bf16(rows + begin / grain * args.dim, args.kept + row * args.dim, args.dim);
      one.dy = args.dy + row * args.dim;
      one.dx = args.dx ? args.dx + row * args.dim : nullptr;
      one.mean = args.mean ? args.mean + row : nullptr;
      one.rstd = args.rstd + row;
      k.norm_backward(one, dweight, dbias, 0, 1);
    }
  });
  // The partial sums add in tile order.
  if (args.dweight) k.column_sum(args.dweight, partial, tiles, args.dim, parts * args.dim);
  if (args.dbias) k.column_sum(args.dbias, partial + (parts - 1) * args.dim, tiles, args.dim, parts * args.dim);
}

template <class T>
void rope(const Exec& ex, const RopeArgs<T>& args, Matrix<T> y, ConstMatrix<T> x, bool accumulate) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(y.rows, row_grain(y.cols), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) k.rope_token(args, args.positions[i], y.row(i), x.row(i), accumulate);
  });
}

template <class T>
void rope_table(T* cos, T* sin, const double* inv_frequency, int64_t positions, int64_t rotary_dim, double scale) {
  const int64_t half = rotary_dim / 2;
  for (int64_t p = 0; p < positions; ++p) {
    for (int64_t j = 0; j < half; ++j) {
      const double angle = static_cast<double>(p) * inv_frequency[j];
      cos[p * half + j] = static_cast<T>(scale * std::cos(angle));
      sin[p * half + j] = static_cast<T>(scale * std::sin(angle));
    }
  }
}

#define LLMKIT_INSTANTIATE(T)                                                                               \
  template void add(const Exec&, T*, const T*, const T*, int64_t);                                          \
  template void add_to(const Exec&, T*, const T*, int64_t);                                                 \
  template void scale(const Exec&, T*, const T*, T, int64_t);                                               \
  template void axpy(const Exec&, T*, T, const T*, int64_t);                                                \
  template void multiply(const Exec&, T*, const T*, const T*, int64_t);                                     \
  template void multiply_add(const Exec&, T*, const T*, const T*, int64_t);                                 \
  template void fill(const Exec&, T*, T, int64_t);                                                          \
  template void copy(const Exec&, T*, const T*, int64_t);                                                   \
  template void copy_rows(const Exec&, Matrix<T>, ConstMatrix<T>, bool);                                    \
  template void activation_forward(const Exec&, Activation, T*, const T*, int64_t);                         \
  template void activation_backward(const Exec&, Activation, T*, const T*, const T*, int64_t, bool);        \
  template void glu_forward(const Exec&, Activation, Matrix<T>, ConstMatrix<T>, ConstMatrix<T>);            \
  template void glu_backward(const Exec&, Activation, Matrix<T>, Matrix<T>, ConstMatrix<T>, ConstMatrix<T>, \
                             ConstMatrix<T>, bool);                                                         \
  template void norm_forward(const Exec&, const NormArgs<T>&);                                              \
  template void norm_backward(const Exec&, const NormGradient<T>&);                                         \
  template void rope(const Exec&, const RopeArgs<T>&, Matrix<T>, ConstMatrix<T>, bool);                     \
  template void rope_table(T*, T*, const double*, int64_t, int64_t, double);
LLMKIT_INSTANTIATE(float)
LLMKIT_INSTANTIATE(double)
#undef LLMKIT_INSTANTIATE

}  // namespace llmkit::kernels
