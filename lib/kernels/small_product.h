// Products of tiles that live in the first two caches, unpacked: C[m,n] (+)= A[m,k] B[k,n] with any strides of A, rows
// of B and C contiguous. Each element is one chain of multiply-adds over k in order.
#pragma once

#include <array>
#include <utility>

#include "kernels/simd.h"

namespace llmkit::kernels {

// Rows that a later product reads or writes, to be fetched while this one computes.
template <class T>
struct RowsAhead {
  const T* rows = nullptr;
  int64_t stride = 0, count = 0, width = 0;

  // What falls to the share [begin, end) of `all`.
  RowsAhead share(int64_t begin, int64_t end, int64_t all) const {
    if (count == 0) return {};
    const int64_t first = count == all ? begin : count * begin / all, last = count == all ? end : count * end / all;
    return {rows + first * stride, stride, last - first, width};
  }
};
// Goes through them line by line. Not all at once: that would fill the queue of misses, and the products would wait.
template <class T>
class LinesAhead {
 public:
  explicit LinesAhead(const RowsAhead<T>& rows) : rows_(rows) {}
  LLMKIT_INLINE void fetch_two() {
    if (rows_.count <= 0) return;
    __builtin_prefetch(rows_.rows + at_);
    __builtin_prefetch(rows_.rows + at_ + kLine);
    at_ += 2 * kLine;
    if (at_ < rows_.width) return;
    at_ = 0;
    rows_.rows += rows_.stride;
    --rows_.count;
  }

 private:
  static constexpr auto kLine = static_cast<int64_t>(64 / sizeof(T));
  RowsAhead<T> rows_;
  int64_t at_ = 0;
};

template <class T>
struct TileProduct {
  int64_t m, n, k;
  const T* a;
  int64_t a_row, a_col;  // element (i, p) at i·a_row + p·a_col
  const T* b;
  int64_t b_row;
  T* c;
  int64_t c_row;
  bool accumulate = false;
  const T* start_scale = nullptr;  // [n]: with accumulate, C is multiplied by it first
  RowsAhead<T> ahead[2] = {};
};

template <class V, int kRows, int kVectors>
struct SmallProduct {
  using T = typename V::T;
  using R = typename V::R;

  static void run(const TileProduct<T>& p) {
    static constexpr auto kFull = table<false>(std::make_integer_sequence<int, kRows * kVectors>{});
    static constexpr auto kTail = table<true>(std::make_integer_sequence<int, kRows>{});
    constexpr int64_t kWide = kVectors * V::kWidth;
    for (int64_t j = 0; j < p.n;) {
      const int64_t left = p.n - j;
      const int64_t vectors = left >= kWide ? kVectors : left / V::kWidth;
      for (int64_t i = 0; i < p.m; i += kRows) {
        const int64_t rows = p.m - i < kRows ? p.m - i : kRows;
        if (vectors > 0) {
          kFull[static_cast<size_t>((rows - 1) * kVectors + vectors - 1)](p, i, j, 0);
        } else {
          kTail[static_cast<size_t>(rows - 1)](p, i, j, left);
        }
      }
      j += vectors > 0 ? vectors * V::kWidth : left;
    }
  }

 private:
  template <int rows, int vectors, bool tail>
  static void micro(const TileProduct<T>& p, int64_t row, int64_t col, int64_t lanes) {
    R sum[rows][vectors];
    T* c = p.c + row * p.c_row + col;
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) {
        if (!p.accumulate) {
          sum[i][j] = V::zero();
          continue;
        }
        const T* from = c + i * p.c_row + j * V::kWidth;
        sum[i][j] = tail ? V::load_n(from, lanes) : V::load(from);
        if (p.start_scale) {
          const T* scale = p.start_scale + col + j * V::kWidth;
          sum[i][j] = V::mul(sum[i][j], tail ? V::load_n(scale, lanes) : V::load(scale));
        }
      }
    }
    const T* a = p.a + row * p.a_row;
    const T* b = p.b + col;
    const int64_t a_row = p.a_row, a_col = p.a_col, b_row = p.b_row;
    LinesAhead<T> first(col == 0 ? p.ahead[0].share(row, row + rows, p.m) : RowsAhead<T>{});
    LinesAhead<T> second(col == 0 ? p.ahead[1].share(row, row + rows, p.m) : RowsAhead<T>{});
    auto step = [&]() LLMKIT_INLINE_LAMBDA {
      R column[vectors];
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) column[j] = tail ? V::load_n(b, lanes) : V::load(b + j * V::kWidth);
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i) {
        const R element = V::set1(a[i * a_row]);
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) sum[i][j] = V::fma(element, column[j], sum[i][j]);
      }
      a += a_col, b += b_row;
    };
    int64_t k = 0;
    for (; k + 4 <= p.k; k += 4) {
      first.fetch_two();
      second.fetch_two();
      step(), step(), step(), step();
    }
    for (; k < p.k; ++k) step();
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) {
        T* to = c + i * p.c_row + j * V::kWidth;
        if (tail) {
          V::store_n(to, sum[i][j], lanes);
        } else {
          V::store(to, sum[i][j]);
        }
      }
    }
  }

  using Micro = void (*)(const TileProduct<T>&, int64_t, int64_t, int64_t);
  template <bool tail, int... i>
  static constexpr std::array<Micro, sizeof...(i)> table(std::integer_sequence<int, i...>) {
    if constexpr (tail) {
      return {&micro<i + 1, 1, true>...};
    } else {
      return {&micro<i / kVectors + 1, i % kVectors + 1, false>...};
    }
  }
};

}  // namespace llmkit::kernels
