// The register tile of gemm_impl.h with 32-bit integer sums, which travel in the float registers as bits. A format
// gives the stored integer (`Stored`, element_depth of them in a 32-bit element), the offset of A's values and the
// multiply-add.
#pragma once

#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/gemm_impl.h"
#include "kernels/gemm_int8_table.h"

namespace llmkit::kernels {

// 32-bit values, one product a lane: where there is nothing better.
struct WideInt8Format {
  using V = Portable<float>;
  using R = V::R;
  using Element = uint32_t;
  using StoredA = int32_t;
  using StoredB = int32_t;
  static constexpr int64_t kDepth = 1;
  static constexpr int32_t kOffset = 0;
  typedef int32_t Ints __attribute__((vector_size(16)));
  static LLMKIT_INLINE R broadcast(const Element* a) { return std::bit_cast<R>(Ints{} + static_cast<int32_t>(*a)); }
  static LLMKIT_INLINE R load_b(const Element* b) {
    R r;
    std::memcpy(&r, b, sizeof r);
    return r;
  }
  static LLMKIT_INLINE R multiply_add(R a, R b, R c) {
    return std::bit_cast<R>(std::bit_cast<Ints>(a) * std::bit_cast<Ints>(b) + std::bit_cast<Ints>(c));
  }
};

template <class Format, int kRows, int kVectors, int kTileStrips, int kTilePanels>
struct Int8Impl {
  using V = typename Format::V;
  using R = typename V::R;
  using Element = typename Format::Element;
  using StoredA = typename Format::StoredA;
  using StoredB = typename Format::StoredB;
  using Products = GemmImpl<Format, kRows, kVectors, kTileStrips, kTilePanels>;
  static constexpr int64_t kPanel = Products::kPanel, kTileRows = Products::kTileRows, kTileCols = Products::kTileCols;

  static float scale_of(const float* x, int64_t n) {
    R most = V::zero();
    for_vectors<V>(n, [&](int64_t i, auto lanes) LLMKIT_INLINE_LAMBDA {
      const R value = load<V>(x + i, lanes);
      most = V::max(most, V::max(value, V::sub(V::zero(), value)));
    });
    const float scale = V::reduce_max(most) / 127.0f;
    return scale > 0 ? scale : 1.0f;
  }
  // Nearest even, by adding and taking away 1.5 · 2^23; |x| ≤ 127 and a little. x is a quotient and not a product: a
  // compiler that fuses a product with the addition would round otherwise than one that cannot.
  static LLMKIT_INLINE int32_t nearest(float x) {
    return std::bit_cast<int32_t>(x + 12582912.0f) - std::bit_cast<int32_t>(12582912.0f);
  }

  static float quantise_row(void* packed, const float* a, int64_t k) {
    auto* out = static_cast<StoredA*>(packed);
    const float scale = scale_of(a, k);
    for (int64_t i = 0; i < k; ++i) out[i] = static_cast<StoredA>(nearest(a[i] / scale) + Format::kOffset);
    const int64_t padded = (k + Format::kDepth - 1) / Format::kDepth * Format::kDepth;
    for (int64_t i = k; i < padded; ++i) out[i] = 0;  // its partner in B is 0 too
    return scale;
  }

  static void pack_b(void* panels, float* scale, int32_t* sum, const float* w, int64_t stride, int64_t n, int64_t k,
                     int64_t first, int64_t last) {
    const int64_t depth = (k + Format::kDepth - 1) / Format::kDepth;
    for (int64_t panel = first; panel < last; ++panel) {
      auto* out = static_cast<StoredB*>(panels) + panel * depth * kPanel * Format::kDepth;
      std::memset(out, 0, static_cast<size_t>(depth * kPanel * Format::kDepth) * sizeof(StoredB));
      for (int64_t j = 0; j < kPanel && panel * kPanel + j < n; ++j) {
        const int64_t column = panel * kPanel + j;
        const float* row = w + column * stride;
        scale[column] = scale_of(row, k);
        int32_t total = 0;
        for (int64_t p = 0; p < k; ++p) {
          const int32_t q = nearest(row[p] / scale[column]);
          total += q;
          out[(p / Format::kDepth * kPanel + j) * Format::kDepth + p % Format::kDepth] = static_cast<StoredB>(q);
        }
        sum[column] = total;
      }
    }
  }

  static void tile(const Int8Task& task, int64_t row_begin, int64_t row_end, int64_t col_begin, int64_t col_end) {
    alignas(64) float buffer[kTileRows * kTileCols];
    const int64_t depth = (task.product.depth + Format::kDepth - 1) / Format::kDepth;
    const auto* a = static_cast<const Element*>(task.product.a.data);
    const auto* panels = static_cast<const Element*>(task.product.b_panels);
    static constexpr auto kMicros = Products::template micros<false, false>(std::make_integer_sequence<int, kRows>{});
    for (int64_t k = 0; k == 0 || k < depth; k += Products::kBlock) {
      typename Products::Work w{};
      w.depth = std::min(Products::kBlock, depth - k);
      w.row_stride = task.product.a.row_stride;
      w.c_stride = w.start_stride = kTileCols;
      w.cols = kPanel;
      w.ahead_rows = Products::kAheadRows;
      for (int64_t i = row_begin; i < row_end; i += kRows) {
        const auto micro = kMicros[static_cast<size_t>(std::min<int64_t>(kRows, row_end - i) - 1)];
        w.a = a + i * w.row_stride + k;
        w.ahead = w.a + kRows * w.row_stride;
        for (int64_t j = col_begin; j < col_end; j += kPanel) {
          w.b = panels + j * depth + k * kPanel;
          w.c = buffer + (i - row_begin) * kTileCols + (j - col_begin);
          w.start = k > 0 ? w.c : nullptr;
          micro(w);
          w.ahead += Products::kAheadRows * w.row_stride;
        }
      }
    }
    const float* col_scale = task.col_scale + col_begin;
    const int32_t* col_sum = task.col_sum + col_begin;
    for (int64_t i = row_begin; i < row_end; ++i) {
      float* row = buffer + (i - row_begin) * kTileCols;
      const float scale = task.row_scale[i];
      for (int64_t j = 0; j < col_end - col_begin; ++j) {
        const int32_t sum = std::bit_cast<int32_t>(row[j]) - Format::kOffset * col_sum[j];
        row[j] = static_cast<float>(sum) * (scale * col_scale[j]);
      }
    }
    apply_epilogue<V>(task.product, buffer, kTileCols, row_begin, row_end, col_begin, col_end);
  }

  static constexpr Int8Kernels table() {
    return {
        .tile_rows = kTileRows,
        .tile_cols = kTileCols,
        .panel_cols = kPanel,
        .element_depth = Format::kDepth,
        .row_offset = Format::kOffset,
        .pack_b = pack_b,
        .quantise_row = quantise_row,
        .tile = tile,
        .peak = Products::peak,
        .peak_ops = 2.0 * kRows * kVectors * V::kWidth * Format::kDepth,
    };
  }
};

}  // namespace llmkit::kernels
