// The products of one instruction set and precision, as functions on tiles of C.
#pragma once

#include "kernels/cpu.h"
#include "kernels/gemm.h"

namespace llmkit::kernels {

// A as the tile kernel reads it: rows, element (i, k) at i·row_stride + k; or strips [K'][mr].
struct OperandA {
  const void* data = nullptr;
  int64_t row_stride = 0;  // in elements; 0: strips
};

// Which source layout a panel is packed from: element (k, n) of B at n·stride + k (transposed) or k·stride + n.
enum class PackFrom : uint8_t { n_major, k_major };

// B as it lies, which a tile packs for itself.
template <class T>
struct SourceB {
  const T* data = nullptr;
  int64_t stride = 0;
  PackFrom from = PackFrom::n_major;
};

template <class T>
struct GemmTask {
  Matrix<T> c;  // [M, N]
  OperandA a;
  const void* b_panels = nullptr;
  SourceB<T> b;       // where b_panels is null
  int64_t depth = 0;  // K
  const Epilogue<T>* epilogue = nullptr;
  bool accumulate = false;    // start from C instead of 0
  bool has_epilogue = false;  // anything but plain or accumulated products
};

// Panels or strips [first, last), and of each the elements [begin, end); begin is a multiple of 16.
struct PackRange {
  int64_t first, last, begin, end;
};

// Rows [row_begin, row_end) × columns [col_begin, col_end) of C, at most a tile; the begins are multiples. And where
// the tile begins that the same thread likely computes next: what that reads first may be fetched.
struct TileBounds {
  int64_t row_begin, row_end, col_begin, col_end;
  int64_t next_row, next_col;
};

template <class T>
struct GemmKernels {
  int64_t tile_rows, tile_cols;  // of a tile of C: multiples of strip_rows and panel_cols
  int64_t tall_rows;             // of a tile where the second cache is large
  int64_t panel_cols;            // nr: columns of a packed panel of B
  int64_t strip_rows;            // mr: rows of a packed strip of A
  int64_t element_depth;         // values of k in one packed element: 1, or 2 for pairs of bf16
  int64_t element_multiple;      // packed rows are filled up with zeros to a multiple of elements
  int64_t row_multiple;          // packed A has room for a multiple of rows (undefined ones are computed, not stored)
  // Elements left free behind each panel or strip and each row, so that neighbours lie in different sets of a cache.
  int64_t panel_pad, row_pad;
  size_t element_bytes;        // of A
  size_t panel_element_bytes;  // of B
  bool converts_rows;          // A's rows cannot be read where they lie
  bool strips_are_rows;        // pack_a_strips writes the layout of pack_a_rows
  int64_t own_rows;            // > 0: a tile of up to so many rows and panel_cols columns can pack B itself

  // Panels of B[K,N], each [K'][nr]; K' elements cover K.
  void (*pack_b)(void* panels, const T* b, int64_t stride, PackFrom from, int64_t n, int64_t k, const PackRange& range);
  // A[M,K] row by row (a[m·stride + k]) into rows of K' elements: rows [first, last).
  void (*pack_a_rows)(void* packed, const T* a, int64_t stride, int64_t k, int64_t first, int64_t last);
  // Aᵀ given as [K,M] (a[k·stride + m]) into strips [K'][mr].
  void (*pack_a_strips)(void* packed, const T* a, int64_t stride, int64_t m, int64_t k, const PackRange& range);
  void (*tile)(const GemmTask<T>& task, const TileBounds& bounds);
  // `iterations` rounds of independent multiply-adds in registers, peak_flops operations each: the unit's limit.
  void (*peak)(int64_t iterations);
  double peak_flops;

  int64_t elements(int64_t depth) const {
    const int64_t step = element_depth * element_multiple;
    return (depth + step - 1) / step * element_multiple;
  }
};

template <class T>
const GemmKernels<T>& gemm_kernels(Isa isa, Precision precision);

const GemmKernels<float>& gemm_portable_float();
const GemmKernels<float>& gemm_portable_bf16();
const GemmKernels<double>& gemm_portable_double();
const GemmKernels<float>& gemm_avx2_float();
const GemmKernels<float>& gemm_avx2_bf16();
const GemmKernels<float>& gemm_avx512_float();
const GemmKernels<float>& gemm_avx512_widened();
const GemmKernels<float>& gemm_avx512bf16();
const GemmKernels<float>& gemm_amx_bf16();

}  // namespace llmkit::kernels
