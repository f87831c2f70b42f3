#include "kernels/gemm.h"

#include <algorithm>

#include "kernels/gemm_internal.h"

namespace llmkit::kernels {

template <>
const GemmKernels<double>& gemm_kernels<double>(Isa, Precision) {
  return gemm_portable_double();
}

template <>
const GemmKernels<float>& gemm_kernels<float>(Isa isa, Precision precision) {
  const bool bf16 = precision == Precision::bf16;
#if defined(__x86_64__)
  if (bf16 && isa >= Isa::amx) return gemm_amx_bf16();
  if (bf16 && isa >= Isa::avx512bf16) return gemm_avx512bf16();
  if (isa >= Isa::avx512) return bf16 ? gemm_avx512_rounded() : gemm_avx512_float();
  if (isa >= Isa::avx2) return bf16 ? gemm_avx2_bf16() : gemm_avx2_float();
#else
  (void)isa;
#endif
  return bf16 ? gemm_portable_bf16() : gemm_portable_float();
}

namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <class T>
size_t packed_b_bytes(const GemmKernels<T>& g, int64_t n, int64_t k) {
  return static_cast<size_t>(ceil_div(n, g.panel_cols) * g.panel_cols * g.elements(k)) * g.element_bytes;
}

template <class T>
void pack_b(const Exec& ex, const GemmKernels<T>& g, void* panels, const T* b, int64_t stride, PackFrom from, int64_t n, int64_t k) {
  ex.parallel.for_ranges(ceil_div(n, g.panel_cols), 1, [&](int64_t first, int64_t last) { g.pack_b(panels, b, stride, from, n, k, first, last); });
}

template <class T>
void run(const Exec& ex, const GemmKernels<T>& g, GemmTask<T>& task, const Epilogue<T>& e) {
  const int64_t m = task.c.rows, n = task.c.cols;
  task.epilogue = &e;
  task.accumulate = e.accumulate;
  task.has_epilogue = e.scale != 1 || e.bias || e.activation != Activation::none || e.pre_activation.data || e.residual.data;
  // Few rows: the weight streams through once, so narrow tiles share the work better.
  const int64_t rows = g.tile_rows, cols = m <= 2 * g.strip_rows ? g.panel_cols : g.tile_cols;
  const int64_t row_tiles = ceil_div(m, rows), col_tiles = ceil_div(n, cols);
  ex.parallel.for_tiles(row_tiles * col_tiles, [&](int64_t tile) {
    // Rows move fastest: neighbouring tiles share their panels of B.
    const int64_t row = tile % row_tiles * rows, col = tile / row_tiles * cols;
    g.tile(task, row, std::min(m, row + rows), col, std::min(n, col + cols));
  });
}

template <class T>
OperandA rows_operand(const Exec& ex, const GemmKernels<T>& g, Scratch& scratch, Matrix<const T> a) {
  if (!g.converts_rows) return {a.data, a.stride};
  const int64_t depth = g.elements(a.cols);
  const int64_t rows = ceil_div(a.rows, g.row_multiple) * g.row_multiple;
  auto* packed = scratch.take<std::byte>(static_cast<int64_t>(static_cast<size_t>(rows * depth) * g.element_bytes));
  ex.parallel.for_ranges(a.rows, 16, [&](int64_t first, int64_t last) { g.pack_a_rows(packed, a.data, a.stride, a.cols, first, last); });
  return {packed, depth};
}

template <class T>
OperandA strips_operand(const Exec& ex, const GemmKernels<T>& g, Scratch& scratch, Matrix<const T> a) {
  const int64_t depth = g.elements(a.rows), strips = ceil_div(a.cols, g.strip_rows);
  const int64_t rows = ceil_div(strips * g.strip_rows, g.row_multiple) * g.row_multiple;
  auto* packed = scratch.take<std::byte>(static_cast<int64_t>(static_cast<size_t>(rows * depth) * g.element_bytes));
  ex.parallel.for_ranges(strips, 8, [&](int64_t first, int64_t last) { g.pack_a_strips(packed, a.data, a.stride, a.cols, a.rows, first, last); });
  return {packed, g.strips_are_rows ? depth : 0};
}

template <class T>
void multiply(const Exec& ex, Matrix<T> c, Matrix<const T> a, bool a_transposed, Matrix<const T> b, PackFrom from, const GemmOptions<T>& options) {
  if (c.rows == 0 || c.cols == 0) return;
  Scratch scratch(ex.workspace);
  const PackedB<T> packed = pack_operand(ex, scratch, b, from, options.precision);
  const GemmKernels<T>& g = *packed.kernels;
  GemmTask<T> task;
  task.c = c;
  task.a = a_transposed ? strips_operand(ex, g, scratch, a) : rows_operand(ex, g, scratch, a);
  task.b_panels = packed.panels;
  task.depth = packed.depth;
  run(ex, g, task, options.epilogue);
}

}  // namespace

template <class T>
PackedB<T> pack_operand(const Exec& ex, Scratch& scratch, Matrix<const T> b, PackFrom from, Precision precision) {
  const auto& g = gemm_kernels<T>(active_isa(), precision);
  const bool n_major = from == PackFrom::n_major;
  const int64_t n = n_major ? b.rows : b.cols, k = n_major ? b.cols : b.rows;
  auto* panels = scratch.take<std::byte>(static_cast<int64_t>(packed_b_bytes(g, n, k)));
  pack_b(ex, g, panels, b.data, b.stride, from, n, k);
  return {&g, panels, n, k};
}

template <class T>
void multiply_packed(const Exec& ex, Matrix<T> c, Matrix<const T> a, const PackedB<T>& b, const Epilogue<T>& epilogue) {
  if (c.rows == 0 || c.cols == 0) return;
  Scratch scratch(ex.workspace);
  GemmTask<T> task;
  task.c = c;
  task.a = rows_operand(ex, *b.kernels, scratch, a);
  task.b_panels = b.panels;
  task.depth = b.depth;
  run(ex, *b.kernels, task, epilogue);
}

template <class T>
void gemm_nn(const Exec& ex, Matrix<T> c, ConstMatrix<T> a, ConstMatrix<T> b, const GemmOptionsFor<T>& options) {
  multiply<T>(ex, c, a, false, b, PackFrom::k_major, options);
}
template <class T>
void gemm_nt(const Exec& ex, Matrix<T> c, ConstMatrix<T> a, ConstMatrix<T> b, const GemmOptionsFor<T>& options) {
  multiply<T>(ex, c, a, false, b, PackFrom::n_major, options);
}
template <class T>
void gemm_tn(const Exec& ex, Matrix<T> c, ConstMatrix<T> a, ConstMatrix<T> b, const GemmOptionsFor<T>& options) {
  multiply<T>(ex, c, a, true, b, PackFrom::k_major, options);
}

#define LLMKIT_INSTANTIATE(T)                                                                              \
  template void gemm_nn(const Exec&, Matrix<T>, ConstMatrix<T>, ConstMatrix<T>, const GemmOptionsFor<T>&); \
  template void gemm_nt(const Exec&, Matrix<T>, ConstMatrix<T>, ConstMatrix<T>, const GemmOptionsFor<T>&); \
  template void gemm_tn(const Exec&, Matrix<T>, ConstMatrix<T>, ConstMatrix<T>, const GemmOptionsFor<T>&); \
  template PackedB<T> pack_operand(const Exec&, Scratch&, Matrix<const T>, PackFrom, Precision);           \
  template void multiply_packed(const Exec&, Matrix<T>, Matrix<const T>, const PackedB<T>&, const Epilogue<T>&);
LLMKIT_INSTANTIATE(float)
LLMKIT_INSTANTIATE(double)
#undef LLMKIT_INSTANTIATE

void PackedWeight::pack(const Exec& ex, Matrix<const float> w, bool out_major, Precision precision) {
  isa_ = active_isa();
  precision_ = precision;
  out_ = out_major ? w.rows : w.cols;
  in_ = out_major ? w.cols : w.rows;
  const auto& g = gemm_kernels<float>(isa_, precision);
  const size_t bytes = packed_b_bytes(g, out_, in_);
  if (buffer_.size() != bytes) buffer_ = AlignedBuffer(bytes);
  pack_b(ex, g, buffer_.data(), w.data, w.stride, out_major ? PackFrom::n_major : PackFrom::k_major, out_, in_);
}

void gemm_packed(const Exec& ex, Matrix<float> c, Matrix<const float> a, const PackedWeight& w, const Epilogue<float>& epilogue) {
  const PackedB<float> b{&gemm_kernels<float>(w.isa(), w.precision()), w.panels(), w.out_features(), w.in_features()};
  multiply_packed(ex, c, a, b, epilogue);
}

}  // namespace llmkit::kernels
