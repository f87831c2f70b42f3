#include "kernels/gemm_int8.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "kernels/gemm_int8_table.h"

namespace llmkit::kernels {

const Int8Kernels& int8_kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::avx512vnni) return int8_avx512vnni();
  if (isa >= Isa::avx512) return int8_avx512();
  if (isa >= Isa::avx2) return int8_avx2();
#else
  (void)isa;
#endif
  return int8_portable();
}

namespace {

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

int64_t padded_cols(const Int8Kernels& g, int64_t n) {
  return ceil_div(n, g.panel_cols) * g.panel_cols;
}
size_t panel_bytes(const Int8Kernels& g, int64_t n, int64_t k) {
  return static_cast<size_t>(padded_cols(g, n) * g.elements(k)) * sizeof(uint32_t);
}
size_t scale_bytes(int64_t n) {
  return static_cast<size_t>(n) * (sizeof(float) + sizeof(int32_t));
}

}  // namespace

size_t PackedInt8Weight::bytes_for(int64_t out, int64_t in) {
  return panel_bytes(int8_kernels(active_isa()), out, in) + scale_bytes(out);
}

void PackedInt8Weight::pack_nt(const Exec& ex, Matrix<const float> w) {
  if (w.cols > kMaxInt8Depth) {
    throw Error(ErrorParts{"too many input features for int8 products",
                           {},
                           "at most " + std::to_string(kMaxInt8Depth),
                           std::to_string(w.cols),
                           {}});
  }
  isa_ = active_isa();
  out_ = w.rows;
  in_ = w.cols;
  const auto& g = int8_kernels(isa_);
  if (panels_.size() != panel_bytes(g, out_, in_)) panels_ = AlignedBuffer(panel_bytes(g, out_, in_));
  if (scales_.size() != scale_bytes(out_)) scales_ = AlignedBuffer(scale_bytes(out_));
  auto* scale = static_cast<float*>(scales_.data());
  auto* sum = reinterpret_cast<int32_t*>(scale + out_);
  ex.parallel.for_ranges(ceil_div(out_, g.panel_cols), 1, [&](int64_t first, int64_t last) {
    g.pack_b(panels_.data(), scale, sum, w.data, w.stride, out_, in_, first, last);
  });
}

void gemm_int8(const Exec& ex, Matrix<float> c, Matrix<const float> a, const PackedInt8Weight& w,
               const Epilogue<float>& epilogue) {
  const int64_t m = c.rows, n = c.cols;
  if (m == 0 || n == 0) return;
  const auto& g = int8_kernels(w.isa_);
  const int64_t depth = g.elements(w.in_);
  Scratch scratch(ex.workspace);
  auto* rows = scratch.take<uint32_t>(m * depth);
  auto* row_scale = scratch.take<float>(m);
  ex.parallel.for_ranges(m, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) row_scale[i] = g.quantise_row(rows + i * depth, a.row(i), w.in_);
  });
  Int8Task task;
  task.product.c = c;
  task.product.a = {rows, depth};
  task.product.b_panels = w.panels_.data();
  task.product.depth = w.in_;
  task.product.epilogue = &epilogue;
  task.product.accumulate = epilogue.accumulate;
  task.row_scale = row_scale;
  task.col_scale = static_cast<const float*>(w.scales_.data());
  task.col_sum = reinterpret_cast<const int32_t*>(task.col_scale + n);
  const int64_t row_tiles = ceil_div(m, g.tile_rows), cols = m <= 16 ? g.panel_cols : g.tile_cols;
  ex.parallel.for_tiles(row_tiles * ceil_div(n, cols), [&](int64_t tile) {
    const int64_t row = tile % row_tiles * g.tile_rows, col = tile / row_tiles * cols;
    g.tile(task, row, std::min(m, row + g.tile_rows), col, std::min(n, col + cols));
  });
}

}  // namespace llmkit::kernels
