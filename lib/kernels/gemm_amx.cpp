// bf16 products on AMX tiles (Intel, from Sapphire Rapids): a register tile of C is 32 × 32 floats in four tile
// registers, A comes as rows of pairs, B as panels of pairs; one TDPBF16PS multiplies 16 × 32 by 32 × 16.
#if defined(__x86_64__)

#include <algorithm>
#include <cstring>

#include "kernels/gemm_impl.h"
#include "kernels/pair_format.h"

namespace llmkit::kernels {
namespace {

constexpr int64_t kSide = 16;             // rows, and floats or pairs of a row, of a tile register
constexpr int64_t kRegister = 2 * kSide;  // rows and columns of C in registers
constexpr int64_t kTileRows = 8 * kRegister, kTileCols = 4 * kRegister;
constexpr int64_t kBlock = 384;  // pairs of k between stores of C: 32 rows of A stay in the first cache

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// Tile registers are configured for a scope; they are per thread.
class TileScope {
 public:
  TileScope() {
    TileConfig config;
    for (int i = 0; i < 8; ++i) {
      config.row_bytes[i] = 64;
      config.rows[i] = kSide;
    }
    _tile_loadconfig(&config);
  }
  ~TileScope() { _tile_release(); }
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;
};

int64_t elements(int64_t k) {
  return (k + 2 * kSide - 1) / (2 * kSide) * kSide;
}  // pairs, whole tiles

void pack_b(void* panels, const float* b, int64_t stride, PackFrom from, int64_t n, int64_t k, const PackRange& range) {
  const int64_t depth = elements(k), used = std::min((k + 1) / 2, range.end);
  for (int64_t panel = range.first; panel < range.last; ++panel) {
    uint32_t* out = static_cast<uint32_t*>(panels) + panel * depth * kRegister;
    for (int64_t j = 0; j < kRegister; j += kSide) {
      const int64_t at = panel * kRegister + j;
      if (from == PackFrom::n_major) {
        pack_transposed<PairFormat>(out + j, kRegister, b + at * stride, stride, n - at, k, range.begin, used);
        continue;
      }
      for (int64_t e = range.begin; e < used; ++e) {
        store_elements<PairFormat>(out + e * kRegister + j, straight<PairFormat>(b + at, stride, n - at, k, e), kSide);
      }
    }
    const int64_t filled = std::max(used, range.begin);
    std::memset(out + filled * kRegister, 0, sizeof(uint32_t) * static_cast<size_t>((range.end - filled) * kRegister));
  }
}

void pack_a_rows(void* packed, const float* a, int64_t stride, int64_t k, int64_t first, int64_t last) {
  const int64_t depth = elements(k);
  for (int64_t m = first; m < last; ++m) {
    uint32_t* out = static_cast<uint32_t*>(packed) + m * depth;
    const float* row = a + m * stride;
    for (int64_t e = 0; e < depth; e += kSide)
      Avx512::store(reinterpret_cast<float*>(out + e), PairFormat::along_depth(row + 2 * e, k - 2 * e));
  }
}

// Strips of 16 rows of A, from Aᵀ: written as rows too.
void pack_a_strips(void* packed, const float* a, int64_t stride, int64_t m, int64_t k, const PackRange& range) {
  const int64_t depth = elements(k);
  for (int64_t strip = range.first; strip < range.last; ++strip) {
    uint32_t* out = static_cast<uint32_t*>(packed) + strip * kSide * depth;
    const float* in = a + strip * kSide;
    for (int64_t e = range.begin; e < range.end; e += kSide) {
      __m512 block[kSide];
      for (int64_t i = 0; i < kSide; ++i) {
        const int64_t at = 2 * (e + i);
        block[i] = at < k ? PairFormat::across(in + at * stride, stride, k - at, m - strip * kSide) : Avx512::zero();
      }
      Avx512::transpose(block);
      for (int64_t i = 0; i < kSide; ++i) Avx512::store(reinterpret_cast<float*>(out + i * depth + e), block[i]);
    }
  }
}

// C[32,32] (+)= A[32, 2·depth] B[2·depth, 32]; strides in elements. The second half of rows or columns is left out
// where C does not have it.
template <bool both_rows, bool both_cols>
void micro(int64_t depth, const uint32_t* a, int64_t a_stride, const uint32_t* b, float* c, int64_t c_stride,
           bool from_c) {
  const auto c_bytes = static_cast<size_t>(c_stride) * sizeof(float),
             a_bytes = static_cast<size_t>(a_stride) * sizeof(uint32_t);
  constexpr size_t kPanelBytes = kRegister * sizeof(uint32_t);
  if (from_c) {
    _tile_loadd(0, c, c_bytes);
    if constexpr (both_cols) _tile_loadd(1, c + kSide, c_bytes);
    if constexpr (both_rows) _tile_loadd(2, c + kSide * c_stride, c_bytes);
    if constexpr (both_rows && both_cols) _tile_loadd(3, c + kSide * c_stride + kSide, c_bytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t k = 0; k < depth; k += kSide, a += kSide, b += kSide * kRegister) {
    _tile_loadd(4, a, a_bytes);
    _tile_loadd(6, b, kPanelBytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (both_cols) {
      _tile_loadd(7, b + kSide, kPanelBytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (both_rows) {
      _tile_loadd(5, a + kSide * a_stride, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (both_cols) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, c, c_bytes);
  if constexpr (both_cols) _tile_stored(1, c + kSide, c_bytes);
  if constexpr (both_rows) _tile_stored(2, c + kSide * c_stride, c_bytes);
  if constexpr (both_rows && both_cols) _tile_stored(3, c + kSide * c_stride + kSide, c_bytes);
}

void tile(const GemmTask<float>& task, const TileBounds& bounds) {
  const auto [row_begin, row_end, col_begin, col_end, next_row, next_col] = bounds;
  alignas(64) float buffer[kTileRows * kTileCols];
  alignas(64) float edge[kRegister * kRegister];
  const TileScope scope;
  const int64_t depth = elements(task.depth);
  float* c = task.has_epilogue ? buffer : task.c.row(row_begin) + col_begin;
  const int64_t c_stride = task.has_epilogue ? kTileCols : task.c.stride;
  const bool accumulate = task.accumulate && !task.has_epilogue;
  const auto* panels = static_cast<const uint32_t*>(task.b_panels) + col_begin * depth;
  const auto* a = static_cast<const uint32_t*>(task.a.data);
  for (int64_t k = 0; k == 0 || k < depth; k += kBlock) {
    const int64_t block = std::min(kBlock, depth - k);
    const bool from_c = accumulate || k > 0;
    for (int64_t i = row_begin; i < row_end; i += kRegister) {
      const uint32_t* rows = a + i * task.a.row_stride + k;
      const bool both_rows = row_end - i > kSide;
      for (int64_t j = col_begin; j < col_end; j += kRegister) {
        const uint32_t* panel = panels + (j - col_begin) * depth + k * kRegister;
        const int64_t height = std::min(kRegister, row_end - i), width = std::min(kRegister, col_end - j);
        float* to = c + (i - row_begin) * c_stride + (j - col_begin);
        if (height == kRegister && width == kRegister) {
          micro<true, true>(block, rows, task.a.row_stride, panel, to, c_stride, from_c);
          continue;
        }
        // An edge goes through a whole register tile of its own.
        if (from_c) {
          for (int64_t r = 0; r < height; ++r)
            std::memcpy(edge + r * kRegister, to + r * c_stride, sizeof(float) * static_cast<size_t>(width));
        }
        if (both_rows) {
          micro<true, true>(block, rows, task.a.row_stride, panel, edge, kRegister, from_c);
        } else {
          micro<false, true>(block, rows, task.a.row_stride, panel, edge, kRegister, from_c);
        }
        for (int64_t r = 0; r < height; ++r)
          std::memcpy(to + r * c_stride, edge + r * kRegister, sizeof(float) * static_cast<size_t>(width));
      }
    }
  }
  if (task.has_epilogue) apply_epilogue<Avx512>(task, buffer, kTileCols, row_begin, row_end, col_begin, col_end);
}

void peak(int64_t iterations) {
  const TileScope scope;
  alignas(64) static const uint32_t zeros[kSide * kSide] = {};
  _tile_loadd(4, zeros, 64);
  _tile_loadd(5, zeros, 64);
  _tile_loadd(6, zeros, 64);
  _tile_loadd(7, zeros, 64);
  for (int64_t n = 0; n < iterations; ++n) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
}

}  // namespace

const GemmKernels<float>& gemm_amx_bf16() {
  static constexpr GemmKernels<float> table = {
      .tile_rows = kTileRows,
      .tile_cols = kTileCols,
      .tall_rows = kTileRows,
      .panel_cols = kRegister,
      .strip_rows = kSide,
      .element_depth = 2,
      .element_multiple = kSide,
      .row_multiple = kRegister,
      .panel_pad = 0,
      .row_pad = 0,
      .element_bytes = sizeof(uint32_t),
      .panel_element_bytes = sizeof(uint32_t),
      .converts_rows = true,
      .strips_are_rows = true,
      .own_rows = 0,
      .pack_b = pack_b,
      .pack_a_rows = pack_a_rows,
      .pack_a_strips = pack_a_strips,
      .tile = tile,
      .peak = peak,
      .peak_flops = 4.0 * 2 * 16 * 16 * 32,
  };
  return table;
}

}  // namespace llmkit::kernels

#endif
