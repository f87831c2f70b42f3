// The register tile: mr × (nv vectors) of C in registers, one broadcast of A against nv vectors of B per step of k.
// A product's format says what an element is: floats, floats rounded to bf16 when packed (machines without bf16
// instructions), or pairs of bf16. Panels of B may be stored in another format than the one that is multiplied
// (Format::Stored): a tile then widens a block of them first, or in registers where it has few rows.
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

// The format in which panels of B are stored.
template <class Format>
struct StoredFormat {
  using type = Format;
};
template <class Format>
requires requires {
  typename Format::Stored;
}
struct StoredFormat<Format> {
  using type = typename Format::Stored;
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
  static constexpr int64_t kTallRows = 2 * kTileRows;
  using Stored = typename StoredFormat<Format>::type;
  using StoredElement = typename Stored::Element;
  // Elements of B in one stored; what is packed is filled up to a multiple of it.
  static constexpr int64_t kRatio = Stored::kDepth / Format::kDepth;
  static constexpr bool kWidens = kRatio > 1;
  static constexpr int64_t kFewStrips =
      4;  // of a tile that streams B through: it widens in registers, fetches no further
  static constexpr int64_t kBlock = 512;  // elements of k between stores of C: keeps a strip of A in the first cache
  static constexpr int64_t kPanelPad = 2, kRowPad = 16, kOwnRows = kTileRows * kTilePanels;

  static int64_t elements(int64_t k) { return (k + Stored::kDepth - 1) / Stored::kDepth * kRatio; }

  static void pack_b(void* panels, const T* b, int64_t stride, PackFrom from, int64_t n, int64_t k,
                     const PackRange& range) {
    const int64_t depth = (elements(k) + kPanelPad) / kRatio;
    const int64_t begin = range.begin / kRatio, end = (range.end + kRatio - 1) / kRatio;
    auto* out = static_cast<StoredElement*>(panels);
    if (from == PackFrom::n_major) {
      for (int64_t at = range.first * kPanel; at < range.last * kPanel; at += V::kWidth) {
        pack_transposed<Stored>(out + at / kPanel * depth * kPanel + at % kPanel, kPanel, b + at * stride, stride,
                                n - at, k, begin, end);
      }
      return;
    }
    for (int64_t e = begin; e < end; ++e) {  // whole rows of B are read in one go
      for (int64_t panel = range.first; panel < range.last; ++panel) {
        for (int64_t j = 0; j < kPanel; j += V::kWidth) {
          const int64_t at = panel * kPanel + j;
          store_elements<Stored>(out + (panel * depth + e) * kPanel + j, straight<Stored>(b + at, stride, n - at, k, e),
                                 V::kWidth);
        }
      }
    }
  }

  static void pack_a_rows(void* packed, const T* a, int64_t stride, int64_t k, int64_t first, int64_t last) {
    const int64_t depth = elements(k);
    for (int64_t m = first; m < last; ++m) {
      Element* out = static_cast<Element*>(packed) + m * (depth + kRowPad);
      const T* row = a + m * stride;
      for (int64_t e = 0; e < depth; e += V::kWidth) {
        const R x = Format::along_depth(row + e * Format::kDepth, k - e * Format::kDepth);
        store_elements<Format>(out + e, x, depth - e);
      }
    }
  }

  static void pack_a_strips(void* packed, const T* a, int64_t stride, int64_t m, int64_t k, const PackRange& range) {
    const int64_t depth = elements(k) + kPanelPad;
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

  // One register tile: C[rows, cols] = start + Σ over `depth` elements. Each element of C is one chain of multiply-adds
  // over k.
  struct Work {
    int64_t depth;
    const Element* a;
    int64_t row_stride;
    const Element* b;
    const StoredElement* stored;  // of a micro-kernel that widens: b as it is stored
    T* c;
    int64_t c_stride, cols;
    const T* start;  // null: 0
    int64_t start_stride;
    // Fetched meanwhile: so many rows of the next strip of A, or as much of a packed strip; and where not null what is
    // written after c and what the next register tile starts from.
    const Element* ahead;
    int64_t ahead_rows, ahead_stride;
    const T* also;
    int64_t also_stride;
    const T* next;
    int64_t next_stride;
    // And into the second cache: so many lines of B each 16 elements of k, of what is read after this block.
    const std::byte* later;
    int64_t later_lines;
  };
  static constexpr int64_t kAheadRows = (kRows + kTilePanels - 1) / kTilePanels, kLine = 64 / sizeof(Element);

  template <int rows, bool strips, bool widens = false>
  static void micro(const Work& w) {
    R sum[rows][kVectors];
    const bool whole = w.cols >= kPanel;
    // Rows of C are fetched one at a time: all at once would fill the queue of misses. And late: what streams through
    // the first cache meanwhile would push them out.
    const int64_t lines = (w.depth + kLine - 1) / kLine, quiet = std::max<int64_t>(0, lines - rows - 1);
    for (int64_t i = lines; i < rows; ++i) fetch_row(w, i);
    if (!w.start) {
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
          const T* from = w.start + i * w.start_stride + j * V::kWidth;
          sum[i][j] = whole ? V::load(from) : edge_load(from, w.cols - j * V::kWidth);
        }
      }
    }
    const Element *b = w.b, *ahead = w.ahead;
    const StoredElement* stored = w.stored;
    const std::byte* later = w.later;
    auto step = [&](int64_t k, const R(&column)[kVectors]) LLMKIT_INLINE_LAMBDA {
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        const R element = Format::broadcast(strips ? w.a + k * kRows + i : w.a + i * w.row_stride + k);
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) sum[i][j] = Format::multiply_add(element, column[j], sum[i][j]);
      }
    };
    for (int64_t k = 0; k < w.depth;) {
      for (int64_t i = 0; i < w.ahead_rows; ++i) __builtin_prefetch(ahead + i * (strips ? kLine : w.ahead_stride));
      ahead += strips ? w.ahead_rows * kLine : kLine;
      for (int64_t i = 0; i < w.later_lines; ++i, later += 64) __builtin_prefetch(later, 0, 2);
      if (const int64_t i = k / kLine - quiet; i >= 0 && i < rows) fetch_row(w, i);
      const int64_t end = std::min<int64_t>(k + kLine, w.depth);
      if constexpr (widens) {
        for (; k < end; k += 2, stored += kPanel) {
          R pairs[kVectors], column[kVectors];
#pragma GCC unroll 4
          for (int j = 0; j < kVectors; ++j) {
            pairs[j] = Stored::load_b(stored + j * V::kWidth);
            column[j] = Stored::first(pairs[j]);
          }
          step(k, column);
#pragma GCC unroll 4
          for (int j = 0; j < kVectors; ++j) column[j] = Stored::second(pairs[j]);
          step(k + 1, column);
        }
        continue;
      }
      for (; k < end; ++k, b += kPanel) {
        R column[kVectors];
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) column[j] = Format::load_b(b + j * V::kWidth);
        step(k, column);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        T* to = w.c + i * w.c_stride + j * V::kWidth;
        if (whole) {
          V::store(to, sum[i][j]);
        } else {
          edge_store(to, sum[i][j], w.cols - j * V::kWidth);
        }
      }
    }
  }

  static LLMKIT_INLINE void fetch_row(const Work& w, int64_t i) {
#pragma GCC unroll 4
    for (int64_t j = 0; j < kPanel; j += kLine) __builtin_prefetch(w.c + i * w.c_stride + j, 1);
    for (int64_t j = 0; w.also && j < kPanel; j += kLine) __builtin_prefetch(w.also + i * w.also_stride + j, 1);
    for (int64_t j = 0; w.next && j < kPanel; j += kLine) __builtin_prefetch(w.next + i * w.next_stride + j);
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

  using Micro = void (*)(const Work&);
  template <bool strips, bool widens, int... rows>
  static constexpr std::array<Micro, sizeof...(rows)> micros(std::integer_sequence<int, rows...>) {
    return {&micro<rows + 1, strips, widens>...};
  }

  // A block of rows of A as it is multiplied: `depth` of each, of which `left` exist.
  static constexpr int64_t kRoundedStride = kBlock + kRowPad;
  static void round_rows(Element* out, const Element* in, int64_t stride, int64_t rows, int64_t left, int64_t depth) {
    for (int64_t i = 0; i < rows; ++i, in += stride, out += kRoundedStride) {
      for (int64_t k = 0; k < depth; k += V::kWidth) V::store(out + k, Format::along_depth(in + k, left - k));
    }
  }

  // A block of a panel as it is multiplied: `depth` × kPanel.
  static void widen(Element* out, const StoredElement* in, int64_t depth) {
    for (int64_t k = 0; k < depth; k += 2, in += kPanel, out += 2 * kPanel) {
#pragma GCC unroll 4
      for (int64_t j = 0; j < kPanel; j += V::kWidth) {
        const R pairs = Stored::load_b(in + j);
        V::store(out + j, Stored::first(pairs));
        V::store(out + kPanel + j, Stored::second(pairs));
      }
    }
  }

  // Where the sums of a register tile start: bias, residual and C itself as far as the task has them.
  static void start_from(Work& w, const GemmTask<T>& task, bool sums, T* scratch, int64_t row, int64_t rows,
                         int64_t col) {
    const Epilogue<T>& e = *task.epilogue;
    const T* bias = e.bias ? e.bias + col : nullptr;
    const T* residual = sums && e.residual.data ? e.residual.row(row) + col : nullptr;
    const T* before = sums && task.accumulate ? task.c.row(row) + col : nullptr;
    if ((bias != nullptr) + (residual != nullptr) + (before != nullptr) <= 1) {
      w.start = bias ? bias : residual ? residual : before;
      w.start_stride = bias ? 0 : residual ? e.residual.stride : task.c.stride;
      return;
    }
    for (int64_t i = 0; i < rows; ++i) {
      for_vectors<V>(w.cols, [&](int64_t j, auto lanes) LLMKIT_INLINE_LAMBDA {
        R x = bias ? load<V>(bias + j, lanes) : V::zero();
        if (residual) x = V::add(x, load<V>(residual + i * e.residual.stride + j, lanes));
        if (before) x = V::add(x, load<V>(before + i * task.c.stride + j, lanes));
        store<V>(scratch + i * kPanel + j, x, lanes);
      });
    }
    w.start = scratch;
    w.start_stride = kPanel;
  }

  static void tile(const GemmTask<T>& task, const TileBounds& bounds) {
    // Not a structured binding: the lambdas below capture these, and clang before 16 captures variables alone.
    const int64_t row_begin = bounds.row_begin, row_end = bounds.row_end, next_row = bounds.next_row;
    const int64_t col_begin = bounds.col_begin, col_end = bounds.col_end, next_col = bounds.next_col;
    using Rows = std::make_integer_sequence<int, kRows>;
    static constexpr std::array<std::array<Micro, kRows>, 4> kMicros = {
        micros<false, false>(Rows{}), micros<true, false>(Rows{}), micros<false, kWidens>(Rows{}),
        micros<true, kWidens>(Rows{})};
    alignas(64) T buffer[kTallRows * kTileCols];
    alignas(64) T start[kRows * kPanel];
    const int64_t depth = elements(task.depth), panel_depth = depth + kPanelPad;
    const bool strips = task.a.row_stride == 0;
    // What needs no second pass starts the sums; the rest is done to each register tile while it is in the first cache.
    const Epilogue<T>& e = *task.epilogue;
    const bool scaled = e.scale != 1, staged = scaled || e.activation != Activation::none || e.pre_activation.data;
    GemmTask<T> second = task;
    Epilogue<T> rest = e;
    second.epilogue = &rest;
    if (!scaled) rest.bias = nullptr, rest.pre_activation = {};
    T* c = task.c.row(row_begin) + col_begin;
    int64_t c_stride = task.c.stride;
    if (staged && !scaled && e.pre_activation.data) {
      c = e.pre_activation.row(row_begin) + col_begin, c_stride = e.pre_activation.stride;
    } else if (scaled || (staged && (e.residual.data || task.accumulate))) {
      c = buffer, c_stride = task.b_panels ? kTileCols : kPanel;
    }
    const auto* a = static_cast<const Element*>(task.a.data);
    Work w{};
    w.row_stride = w.ahead_stride = task.a.row_stride;
    w.c_stride = c_stride;
    w.also_stride = task.c.stride;
    const bool apart = c != task.c.row(row_begin) + col_begin;
    const Matrix<const T> starts = e.residual.data   ? e.residual
                                   : task.accumulate ? Matrix<const T>(task.c)
                                                     : Matrix<const T>();
    w.next_stride = starts.stride;
    // What register tile (i, j) reads and writes beside its operands; the next one is (next_i, next_j).
    auto fetch = [&](int64_t i, int64_t j, int64_t k, int64_t next_i, int64_t next_j) {
      w.also = apart && k + kBlock >= depth ? task.c.row(i) + j : nullptr;
      w.next = k == 0 && starts.data ? starts.row(next_i) + next_j : nullptr;
    };
    const int64_t strips_here = (row_end - row_begin + kRows - 1) / kRows;
    const bool in_registers = kWidens && task.b_panels && strips_here <= kFewStrips;
    auto multiply = [&](int64_t i, int64_t j, int64_t k) {
      const int64_t rows = std::min<int64_t>(kRows, row_end - i);
      w.c = c + (i - row_begin) * c_stride + (j - col_begin);
      w.cols = std::min(kPanel, col_end - j);
      if (k > 0) {
        w.start = w.c, w.start_stride = c_stride;
      } else if (!scaled) {
        start_from(w, task, !staged, start, i, rows, j);
      }
      kMicros[static_cast<size_t>(2 * in_registers + strips)][static_cast<size_t>(rows - 1)](w);
      if (staged && k + kBlock >= depth) apply_epilogue<V>(second, w.c, c_stride, i, i + rows, j, j + w.cols);
    };
    const int64_t panels_here = task.b_panels ? (col_end - col_begin + kPanel - 1) / kPanel : 1;
    w.ahead_rows = (kRows + panels_here - 1) / panels_here;
    auto strip_at = [&](int64_t i, int64_t k) {
      w.a = strips ? a + (i * panel_depth + k * kRows) : a + i * w.ahead_stride + k;
      w.ahead = strips ? w.a + panel_depth * kRows : w.a + kRows * w.ahead_stride;
    };
    if (task.b_panels) {
      constexpr int64_t kWidePanel = (kBlock + kPanelPad) * kPanel;
      alignas(64) Element wide[kWidens ? kTilePanels * kWidePanel : 1];
      alignas(64) Element rounded[kWidens ? kRows * kRoundedStride : 1];
      const auto* panels = static_cast<const StoredElement*>(task.b_panels);
      auto panel_at = [&](int64_t j, int64_t k) { return panels + (j * panel_depth + k * kPanel) / kRatio; };
      for (int64_t k = 0; k == 0 || k < depth; k += kBlock) {  // depth 0 still writes C once
        w.depth = std::min(kBlock, depth - k);
        // Each strip fetches its share of the next block of the panels, or of the first one of the next tile. Not where
        // panels only stream through.
        const bool last = k + kBlock >= depth;
        const int64_t next_k = last ? 0 : k + kBlock, groups = (w.depth + kLine - 1) / kLine,
                      shares = strips_here * groups, lines = w.depth * kPanel / (kRatio * kLine);
        w.later_lines = shares > 0 && strips_here > 2 ? (lines + shares - 1) / shares : 0;
        if constexpr (kWidens) {
          for (int64_t j = col_begin; j < col_end && !in_registers; j += kPanel)
            widen(wide + (j - col_begin) / kPanel * kWidePanel, panel_at(j, k), w.depth);
        }
        for (int64_t i = row_begin; i < row_end; i += kRows) {
          strip_at(i, k);
          if constexpr (kWidens) {
            if (!strips) {
              round_rows(rounded, w.a, w.ahead_stride, std::min<int64_t>(kRows, row_end - i), task.depth - k, w.depth);
              w.a = rounded, w.row_stride = kRoundedStride;
            }
          }
          if (i + kRows >= row_end) {
            const int64_t next_i = last ? next_row : row_begin;
            w.ahead = strips ? a + (next_i * panel_depth + next_k * kRows) : a + next_i * w.ahead_stride + next_k;
          }
          for (int64_t j = col_begin; j < col_end; j += kPanel) {
            const bool more = j + kPanel < col_end;
            fetch(i, j, k, more ? i : i + kRows, more ? j + kPanel : col_begin);
            w.stored = panel_at(j, k);
            if constexpr (kWidens) {
              w.b = wide + (j - col_begin) / kPanel * kWidePanel;
            } else {
              w.b = w.stored;
            }
            w.later =
                reinterpret_cast<const std::byte*>(panel_at(j - col_begin + (last ? next_col : col_begin), next_k)) +
                (i - row_begin) / kRows * groups * w.later_lines * 64;
            multiply(i, j, k);
            w.ahead += w.ahead_rows * (strips ? w.depth : w.ahead_stride);
          }
        }
      }
      return;
    }
    if constexpr (!kWidens) {
      alignas(64) Element panel[kBlock * kPanel];
      w.b = panel;
      for (int64_t k = 0; k == 0 || k < depth; k += kBlock) {
        w.depth = std::min(kBlock, depth - k);
        const bool n_major = task.b.from == PackFrom::n_major;
        const int64_t at = k * Format::kDepth;
        pack_b(panel, task.b.data + (n_major ? col_begin * task.b.stride + at : at * task.b.stride + col_begin),
               task.b.stride, task.b.from, col_end - col_begin, task.depth - at, {0, 1, 0, w.depth});
        for (int64_t i = row_begin; i < row_end; i += kRows) {
          strip_at(i, k);
          fetch(i, col_begin, k, i + kRows, col_begin);
          multiply(i, col_begin, k);
        }
      }
    }
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
        .tall_rows = kTallRows,
        .panel_cols = kPanel,
        .strip_rows = kRows,
        .element_depth = Format::kDepth,
        .element_multiple = kRatio,
        .row_multiple = 1,
        .panel_pad = kPanelPad,
        .row_pad = kRowPad,
        .element_bytes = sizeof(Element),
        .panel_element_bytes = sizeof(StoredElement) / kRatio,
        .converts_rows = Format::kConverts && !kWidens,
        .strips_are_rows = false,
        .own_rows = kWidens ? 0 : kOwnRows,
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
