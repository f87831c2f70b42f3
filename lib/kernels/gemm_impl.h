// The register tile: mr × (nv vectors) of C in registers, one broadcast of A against nv vectors of B per step of k.
// A product's format says what an element is: floats, floats rounded to bf16 when packed (machines without bf16
// instructions), or pairs of bf16.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/activation_impl.h"
#include "kernels/bf16.h"
#include "kernels/gemm_table.h"
#include "kernels/simd.h"

namespace llmkit::kernels {

template <class Vector>
struct PlainFormat {
  using V = Vector;
  using R = typename V::R;
  using Element = typename V::T;
  static constexpr int64_t kDepth = 1;
  static constexpr bool kConverts = false;
  // kWidth elements along k of one row, `left` values of k remain; the rest is 0.
  static LLMKIT_INLINE R along_depth(const Element* row, int64_t left) { return some(row, left); }
  // The elements of `columns` neighbours at one place in depth; the next value of k lies `stride` further.
  static LLMKIT_INLINE R across(const Element* at, int64_t, int64_t, int64_t columns) { return some(at, columns); }
  static LLMKIT_INLINE R some(const Element* p, int64_t n) { return n >= V::kWidth ? V::load(p) : V::load_n(p, n); }
  static LLMKIT_INLINE R broadcast(const Element* a) { return V::set1(*a); }
  static LLMKIT_INLINE R load_b(const Element* b) { return V::load(b); }
  static LLMKIT_INLINE R multiply_add(R a, R b, R c) { return V::fma(a, b, c); }
};

template <class Vector>
struct RoundedFormat : PlainFormat<Vector> {
  using V = Vector;
  using R = typename V::R;
  static constexpr bool kConverts = true;
  static LLMKIT_INLINE R along_depth(const float* row, int64_t left) { return some(row, left); }
  static LLMKIT_INLINE R across(const float* at, int64_t, int64_t, int64_t columns) { return some(at, columns); }
  static LLMKIT_INLINE R some(const float* p, int64_t n) {
    float lane[V::kWidth] = {};
    for (int64_t i = 0; i < V::kWidth && i < n; ++i) lane[i] = to_float(to_bf16(p[i]));
    return V::load(lane);
  }
};

template <class Format>
LLMKIT_INLINE void store_elements(typename Format::Element* out, typename Format::R x, int64_t count) {
  using V = typename Format::V;
  auto* to = reinterpret_cast<typename V::T*>(out);  // elements are as wide as lanes
  if (count >= V::kWidth) {
    V::store(to, x);
  } else {
    V::store_n(to, x, count);
  }
}

// out[e·out_stride + j] = element e of row j, for one vector of rows (`rows` of them exist) and elements [begin, end);
// begin is a multiple of kWidth.
template <class Format>
LLMKIT_INLINE void pack_transposed(typename Format::Element* out, int64_t out_stride, const typename Format::V::T* in,
                                   int64_t stride, int64_t rows, int64_t k, int64_t begin, int64_t end) {
  using V = typename Format::V;
  for (int64_t e = begin; e < end; e += V::kWidth) {
    typename V::R block[V::kWidth];
    for (int64_t j = 0; j < V::kWidth; ++j) {
      block[j] =
          j < rows ? Format::along_depth(in + j * stride + e * Format::kDepth, k - e * Format::kDepth) : V::zero();
    }
    V::transpose(block);
    const int64_t count = end - e < V::kWidth ? end - e : V::kWidth;
    for (int64_t i = 0; i < count; ++i) store_elements<Format>(out + (e + i) * out_stride, block[i], V::kWidth);
  }
}

// The same from rows of k: element e of `cols` neighbours.
template <class Format>
LLMKIT_INLINE typename Format::R straight(const typename Format::V::T* in, int64_t stride, int64_t cols, int64_t k,
                                          int64_t e) {
  const int64_t at = e * Format::kDepth;
  return Format::across(in + at * stride, stride, k - at, cols < 0 ? 0 : cols);
}

// c = act(scale · raw + bias) + residual (+ c) for a finished tile.
template <class V>
void apply_epilogue(const GemmTask<typename V::T>& task, const typename V::T* raw, int64_t raw_stride,
                    int64_t row_begin, int64_t row_end, int64_t col_begin, int64_t col_end) {
  using T = typename V::T;
  using R = typename V::R;
  const Epilogue<T>& e = *task.epilogue;
  const R factor = V::set1(e.scale);
  with_activation(e.activation, [&](auto tag) {
    for (int64_t row = row_begin; row < row_end; ++row, raw += raw_stride) {
      T* c = task.c.row(row) + col_begin;
      const T* bias = e.bias ? e.bias + col_begin : nullptr;
      const T* residual = e.residual.data ? e.residual.row(row) + col_begin : nullptr;
      T* before = e.pre_activation.data ? e.pre_activation.row(row) + col_begin : nullptr;
      for_vectors<V>(col_end - col_begin, [&](int64_t j, auto lanes) LLMKIT_INLINE_LAMBDA {
        R x = V::mul(factor, load<V>(raw + j, lanes));
        if (bias) x = V::add(x, load<V>(bias + j, lanes));
        if (before) store<V>(before + j, x, lanes);
        R unused;
        x = activate<V, decltype(tag)::value, false>(x, unused);
        if (residual) x = V::add(x, load<V>(residual + j, lanes));
        if (task.accumulate) x = V::add(x, load<V>(c + j, lanes));
        store<V>(c + j, x, lanes);
      });
    }
  });
}

template <class Format, int kRows, int kVectors, int kTileStrips, int kTilePanels>
struct GemmImpl {
  using V = typename Format::V;
  using T = typename V::T;
  using R = typename V::R;
  using Element = typename Format::Element;
  static constexpr int64_t kPanel = kVectors * V::kWidth;
  static constexpr int64_t kTileRows = kRows * kTileStrips, kTileCols = kPanel * kTilePanels;
  static constexpr int64_t kBlock = 512;  // elements of k between stores of C: keeps a strip of A in the first cache

  static void pack_b(void* panels, const T* b, int64_t stride, PackFrom from, int64_t n, int64_t k,
                     const PackRange& range) {
    const int64_t depth = (k + Format::kDepth - 1) / Format::kDepth;
    auto* out = static_cast<Element*>(panels);
    if (from == PackFrom::n_major) {
      for (int64_t at = range.first * kPanel; at < range.last * kPanel; at += V::kWidth) {
        pack_transposed<Format>(out + at / kPanel * depth * kPanel + at % kPanel, kPanel, b + at * stride, stride,
                                n - at, k, range.begin, range.end);
      }
      return;
    }
    for (int64_t e = range.begin; e < range.end; ++e) {  // whole rows of B are read in one go
      for (int64_t panel = range.first; panel < range.last; ++panel) {
        for (int64_t j = 0; j < kPanel; j += V::kWidth) {
          const int64_t at = panel * kPanel + j;
          store_elements<Format>(out + (panel * depth + e) * kPanel + j, straight<Format>(b + at, stride, n - at, k, e),
                                 V::kWidth);
        }
      }
    }
  }

  static void pack_a_rows(void* packed, const T* a, int64_t stride, int64_t k, int64_t first, int64_t last) {
    const int64_t depth = (k + Format::kDepth - 1) / Format::kDepth;
    for (int64_t m = first; m < last; ++m) {
      Element* out = static_cast<Element*>(packed) + m * depth;
      const T* row = a + m * stride;
      for (int64_t e = 0; e < depth; e += V::kWidth) {
        const R x = Format::along_depth(row + e * Format::kDepth, k - e * Format::kDepth);
        store_elements<Format>(out + e, x, depth - e);
      }
    }
  }

  static void pack_a_strips(void* packed, const T* a, int64_t stride, int64_t m, int64_t k, const PackRange& range) {
    const int64_t depth = (k + Format::kDepth - 1) / Format::kDepth;
    auto* out = static_cast<Element*>(packed);
    for (int64_t e = range.begin; e < range.end; ++e) {
      int64_t strip = range.first;
      if constexpr (2 * kRows == V::kWidth) {  // a vector covers two strips
        for (; strip + 2 <= range.last; strip += 2) {
          const R x = straight<Format>(a + strip * kRows, stride, m - strip * kRows, k, e);
          V::store_halves(reinterpret_cast<T*>(out + (strip * depth + e) * kRows),
                          reinterpret_cast<T*>(out + ((strip + 1) * depth + e) * kRows), x);
        }
      }
      for (; strip < range.last; ++strip) {
        for (int64_t i = 0; i < kRows; i += V::kWidth) {
          const int64_t here = std::min<int64_t>(kRows, m - strip * kRows) - i;
          store_elements<Format>(out + (strip * depth + e) * kRows + i,
                                 straight<Format>(a + strip * kRows + i, stride, here, k, e), kRows - i);
        }
      }
    }
  }

  // C[rows, cols] (+)= Σ over `depth` elements. Each element of C is one chain of multiply-adds over k.
  template <int rows, bool strips>
  static void micro(int64_t depth, const Element* a, int64_t row_stride, const Element* b, T* c, int64_t c_stride,
                    int64_t cols, bool from_c) {
    R sum[rows][kVectors];
    const bool whole = cols >= kPanel;
    if (!from_c) {
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) sum[i][j] = V::zero();
      }
    } else {
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) {
          const T* from = c + i * c_stride + j * V::kWidth;
          sum[i][j] = whole ? V::load(from) : edge_load(from, cols - j * V::kWidth);
        }
      }
    }
    for (int64_t k = 0; k < depth; ++k) {
      R column[kVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) column[j] = Format::load_b(b + j * V::kWidth);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        const R element = Format::broadcast(strips ? a + k * kRows + i : a + i * row_stride + k);
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) sum[i][j] = Format::multiply_add(element, column[j], sum[i][j]);
      }
      b += kPanel;
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        T* to = c + i * c_stride + j * V::kWidth;
        if (whole) {
          V::store(to, sum[i][j]);
        } else {
          edge_store(to, sum[i][j], cols - j * V::kWidth);
        }
      }
    }
  }

  static LLMKIT_INLINE R edge_load(const T* from, int64_t lanes) {
    return lanes <= 0 ? V::zero() : lanes >= V::kWidth ? V::load(from) : V::load_n(from, lanes);
  }
  static LLMKIT_INLINE void edge_store(T* to, R x, int64_t lanes) {
    if (lanes >= V::kWidth) {
      V::store(to, x);
    } else if (lanes > 0) {
      V::store_n(to, x, lanes);
    }
  }

  using Micro = void (*)(int64_t, const Element*, int64_t, const Element*, T*, int64_t, int64_t, bool);
  template <bool strips, int... rows>
  static constexpr std::array<Micro, sizeof...(rows)> micros(std::integer_sequence<int, rows...>) {
    return {&micro<rows + 1, strips>...};
  }

  static void tile(const GemmTask<T>& task, int64_t row_begin, int64_t row_end, int64_t col_begin, int64_t col_end) {
    static constexpr auto kFromRows = micros<false>(std::make_integer_sequence<int, kRows>{});
    static constexpr auto kFromStrips = micros<true>(std::make_integer_sequence<int, kRows>{});
    alignas(64) T buffer[kTileRows * kTileCols];
    const int64_t depth = (task.depth + Format::kDepth - 1) / Format::kDepth;
    const bool strips = task.a.row_stride == 0;
    T* c = task.has_epilogue ? buffer : task.c.row(row_begin) + col_begin;
    const int64_t c_stride = task.has_epilogue ? kTileCols : task.c.stride;
    const bool from_c = task.accumulate && !task.has_epilogue;
    const auto* panels = static_cast<const Element*>(task.b_panels) + col_begin * depth;
    const auto* a = static_cast<const Element*>(task.a.data);
    // Depth 0 still writes C once.
    for (int64_t k = 0; k == 0 || k < depth; k += kBlock) {
      const int64_t block = std::min(kBlock, depth - k);
      for (int64_t i = row_begin; i < row_end; i += kRows) {
        const int64_t rows = std::min<int64_t>(kRows, row_end - i);
        const Element* from = strips ? a + (i * depth + k * kRows) : a + i * task.a.row_stride + k;
        const Micro micro = (strips ? kFromStrips : kFromRows)[static_cast<size_t>(rows - 1)];
        for (int64_t j = col_begin; j < col_end; j += kPanel) {
          micro(block, from, task.a.row_stride, panels + (j - col_begin) * depth + k * kPanel,
                c + (i - row_begin) * c_stride + (j - col_begin), c_stride, std::min(kPanel, col_end - j),
                from_c || k > 0);
        }
      }
    }
    if (task.has_epilogue) apply_epilogue<V>(task, buffer, kTileCols, row_begin, row_end, col_begin, col_end);
  }

  static void peak(int64_t iterations) {
    constexpr int kChains = kRows * kVectors;
    R sum[kChains];
    const Element zero{};
    const R a = Format::broadcast(&zero);
#pragma GCC unroll 32
    for (int i = 0; i < kChains; ++i) sum[i] = V::set1(static_cast<T>(i));
    for (int64_t n = 0; n < iterations; ++n) {
#pragma GCC unroll 32
      for (int i = 0; i < kChains; ++i) {
        sum[i] = Format::multiply_add(a, a, sum[i]);
      }
    }
    R total = V::zero();
#pragma GCC unroll 32
    for (int i = 0; i < kChains; ++i) total = V::add(total, sum[i]);
    volatile T keep = V::reduce_add(total);
    (void)keep;
  }

  static constexpr GemmKernels<T> table() {
    return {
        .tile_rows = kTileRows,
        .tile_cols = kTileCols,
        .panel_cols = kPanel,
        .strip_rows = kRows,
        .element_depth = Format::kDepth,
        .element_multiple = 1,
        .row_multiple = 1,
        .element_bytes = sizeof(Element),
        .converts_rows = Format::kConverts,
        .strips_are_rows = false,
        .pack_b = pack_b,
        .pack_a_rows = pack_a_rows,
        .pack_a_strips = pack_a_strips,
        .tile = tile,
        .peak = peak,
        .peak_flops = 2.0 * kRows * kVectors * V::kWidth * Format::kDepth,
    };
  }
};

}  // namespace llmkit::kernels
