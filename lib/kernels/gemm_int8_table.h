// The int8 products of one instruction set.
#pragma once

#include "kernels/gemm_table.h"

namespace llmkit::kernels {

struct Int8Task {
  GemmTask<float> product;           // c, a (quantised rows), b_panels, depth, epilogue
  const float* row_scale = nullptr;  // [M]
  const float* col_scale = nullptr;  // [N]
  const int32_t* col_sum = nullptr;  // [N]: Σ_k qw
};

struct Int8Kernels {
  int64_t tile_rows, tile_cols, panel_cols;
  int64_t element_depth;  // values of k in one packed 32-bit element
  int32_t row_offset;     // added to the values of A: 128 where the unit wants them unsigned

  int64_t elements(int64_t k) const { return (k + element_depth - 1) / element_depth; }

  // Panels [first, last) of W[N,K], and the scales and sums of their columns.
  void (*pack_b)(void* panels, float* scale, int32_t* sum, const float* w, int64_t stride, int64_t n, int64_t k,
                 int64_t first, int64_t last);
  // One row of A into elements(k) elements; returns its scale.
  float (*quantise_row)(void* packed, const float* a, int64_t k);
  void (*tile)(const Int8Task& task, int64_t row_begin, int64_t row_end, int64_t col_begin, int64_t col_end);
  void (*peak)(int64_t iterations);
  double peak_ops;
};

const Int8Kernels& int8_kernels(Isa isa);
const Int8Kernels& int8_portable();
const Int8Kernels& int8_avx2();
const Int8Kernels& int8_avx512();
const Int8Kernels& int8_avx512vnni();

}  // namespace llmkit::kernels
