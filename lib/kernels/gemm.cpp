#include "kernels/gemm.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "kernels/gemm_internal.h"
#include "kernels/half.h"
#include "kernels/vector_table.h"

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
  if (isa >= Isa::avx512) return bf16 ? gemm_avx512_widened() : gemm_avx512_float();
  if (isa >= Isa::avx2) return bf16 ? gemm_avx2_bf16() : gemm_avx2_float();
#else
  (void)isa;
#endif
  return bf16 ? gemm_portable_bf16() : gemm_portable_float();
}

namespace {

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

template <class T>
size_t packed_b_bytes(const GemmKernels<T>& g, int64_t n, int64_t k) {
  return static_cast<size_t>(ceil_div(n, g.panel_cols) * g.panel_cols * (g.elements(k) + g.panel_pad)) *
         g.panel_element_bytes;
}

// What is packed before some products, as one list of tiles: each covers `panels` × `elements`, so that whole lines are
// read and written and every thread has some.
class Packing {
 public:
  template <class F>
  void add(int64_t panels, int64_t elements, int64_t panels_a_tile, int64_t elements_a_tile, F&& pack) {
    const int64_t across = ceil_div(panels, panels_a_tile), along = ceil_div(elements, elements_a_tile);
    if (across * along == 0) return;
    jobs_.push_back({tiles_, [=](int64_t tile) {
                       const int64_t first = tile / along * panels_a_tile, begin = tile % along * elements_a_tile;
                       pack(PackRange{first, std::min(panels, first + panels_a_tile), begin,
                                      std::min(elements, begin + elements_a_tile)});
                     }});
    tiles_ += across * along;
  }
  void run(const Exec& ex) const {
    ex.parallel.for_tiles(tiles_, [&](int64_t tile) {
      const auto after = std::upper_bound(jobs_.begin(), jobs_.end(), tile,
                                          [](int64_t t, const Job& job) { return t < job.first_tile; });
      const Job& job = *(after - 1);
      job.pack(tile - job.first_tile);
    });
  }

 private:
  struct Job {
    int64_t first_tile;
    std::function<void(int64_t)> pack;
  };
  std::vector<Job> jobs_;
  int64_t tiles_ = 0;
};

template <class T>
void pack_b(Packing& packing, const GemmKernels<T>& g, void* panels, Matrix<const T> b, PackFrom from) {
  const bool transposed = from == PackFrom::n_major;
  const int64_t n = transposed ? b.rows : b.cols, k = transposed ? b.cols : b.rows;
  packing.add(
      ceil_div(n, g.panel_cols), g.elements(k), transposed ? 1 : 16, transposed ? 1024 : 64,
      [&g, panels, b, from, n, k](const PackRange& range) { g.pack_b(panels, b.data, b.stride, from, n, k, range); });
}

// The same of act(b), k_major: some rows at a time, so that what is packed is still in the first cache.
template <class T>
void pack_activated_range(const GemmKernels<T>& g, std::byte* panels, Matrix<const T> b, Activation activation,
                          const PackRange& range) {
  constexpr int64_t kRows = 8, kCols = 768;
  alignas(64) T rows[kRows * kCols];
  const int64_t depth = g.elements(b.rows) + g.panel_pad, step = kRows / g.element_depth;
  for (int64_t e = range.begin; e < range.end; e += step) {
    const int64_t k = e * g.element_depth, count = std::clamp<int64_t>(b.rows - k, 0, kRows);
    const int64_t wide = kCols / g.panel_cols;
    for (int64_t first = range.first; first < range.last; first += wide) {
      const int64_t col = first * g.panel_cols,
                    cols = std::min(b.cols, std::min(range.last, first + wide) * g.panel_cols) - col;
      for (int64_t i = 0; i < count; ++i) {
        for (int64_t j = 0; j < cols && k + i + 1 < b.rows; j += static_cast<int64_t>(64 / sizeof(T)))
          __builtin_prefetch(b.row(k + i + 1) + col + j);
        vector_kernels<T>().activation_forward(activation, rows + i * kCols, b.row(k + i) + col, cols);
      }
      for (int64_t panel = first; panel < std::min(range.last, first + wide); ++panel) {
        const int64_t at = panel * g.panel_cols - col;
        g.pack_b(panels + static_cast<size_t>((panel * depth + e) * g.panel_cols) * g.panel_element_bytes, rows + at,
                 kCols, PackFrom::k_major, cols - at, count, {0, 1, 0, std::min(step, range.end - e)});
      }
    }
  }
}
template <class T>
void pack_activated(Packing& packing, const GemmKernels<T>& g, void* panels, Matrix<const T> b, Activation activation) {
  packing.add(ceil_div(b.cols, g.panel_cols), g.elements(b.rows), 16, 64,
              [&g, panels, b, activation](const PackRange& range) {
                pack_activated_range(g, static_cast<std::byte*>(panels), b, activation, range);
              });
}

// Tiles of C are as large as the caches allow, and smaller where a product has few: the threads then end together. An
// element's sum does not depend on its tile. A large second cache comes with a slow third one (Intel's servers from
// Sapphire Rapids, 2 MB a core; Zen 4 has 1 MB), which each tile reads again: there tiles are tall, and no more than
// the threads need.
struct TileSize {
  int64_t rows, cols;
};
template <class T>
TileSize tile_size(const GemmKernels<T>& g, int64_t m, int64_t n, int threads) {
  const bool large_cache = second_cache_bytes() >= int64_t{2} << 20;
  const int64_t enough = large_cache ? std::min(64, 4 * threads) : 64;
  // Few rows: the weight streams through once, so narrow tiles share the work better.
  TileSize size{large_cache ? g.tall_rows : g.tile_rows, m <= 2 * g.strip_rows ? g.panel_cols : g.tile_cols};
  const int64_t least_rows = std::max(g.strip_rows * 4, g.row_multiple);
  while (size.rows > least_rows && ceil_div(m, size.rows) * ceil_div(n, size.cols) < enough)
    size.rows = ceil_div(size.rows / 2, least_rows) * least_rows;
  return size;
}

// Of tiles that pack B: one panel, and rows enough that packing costs little.
template <class T>
TileSize own_tile_size(const GemmKernels<T>& g, int64_t m, int64_t n) {
  constexpr int64_t kEnough = 16;
  TileSize size{g.own_rows, g.panel_cols};
  while (size.rows > g.tile_rows && ceil_div(m, size.rows) * ceil_div(n, size.cols) < kEnough) size.rows /= 2;
  return size;
}

// One product of a group and the number of its first tile.
template <class T>
struct GroupTask {
  const GemmKernels<T>* kernels;
  GemmTask<T> task;
  TileSize size;
  int64_t row_tiles, first_tile;
};

// The tiles of all products in one go: small ones share the threads.
template <class T>
class TileGroup {
 public:
  explicit TileGroup(const Exec& ex) : threads_(ex.parallel.threads()) {}

  void add(const GemmKernels<T>& g, GemmTask<T> task, const Epilogue<T>& e) {
    const int64_t m = task.c.rows, n = task.c.cols;
    if (m == 0 || n == 0) return;
    task.epilogue = &e;
    task.accumulate = e.accumulate;
    task.has_epilogue =
        e.scale != 1 || e.bias || e.activation != Activation::none || e.pre_activation.data || e.residual.data;
    const TileSize size = task.b_panels ? tile_size(g, m, n, threads_) : own_tile_size(g, m, n);
    const int64_t row_tiles = ceil_div(m, size.rows);
    tasks_.push_back({&g, task, size, row_tiles, tiles_});
    tiles_ += row_tiles * ceil_div(n, size.cols);
  }

  void run(const Exec& ex) const {
    ex.parallel.for_tiles(tiles_, [&](int64_t tile) {
      const auto after = std::upper_bound(tasks_.begin(), tasks_.end(), tile,
                                          [](int64_t t, const GroupTask<T>& g) { return t < g.first_tile; });
      const GroupTask<T>& g = *(after - 1);
      // Rows move fastest: neighbouring tiles share their panels of B.
      const int64_t here = tile - g.first_tile, row = here % g.row_tiles * g.size.rows,
                    col = here / g.row_tiles * g.size.cols;
      const int64_t next =
          std::min(here + ex.parallel.threads(), g.row_tiles * ceil_div(g.task.c.cols, g.size.cols) - 1);
      g.kernels->tile(g.task,
                      {row, std::min(g.task.c.rows, row + g.size.rows), col, std::min(g.task.c.cols, col + g.size.cols),
                       next % g.row_tiles * g.size.rows, next / g.row_tiles * g.size.cols});
    });
  }

 private:
  int threads_;
  std::vector<GroupTask<T>> tasks_;
  int64_t tiles_ = 0;
};

template <class T>
void run(const Exec& ex, const GemmKernels<T>& g, const GemmTask<T>& task, const Epilogue<T>& e) {
  TileGroup<T> group(ex);
  group.add(g, task, e);
  group.run(ex);
}

template <class T>
int64_t rows_bytes(const GemmKernels<T>& g, int64_t m, int64_t k) {
  const int64_t rows = ceil_div(m, g.row_multiple) * g.row_multiple;
  return g.converts_rows ? rows * (g.elements(k) + g.row_pad) * static_cast<int64_t>(g.element_bytes) : 0;
}
template <class T>
OperandA rows_operand(Packing& packing, const GemmKernels<T>& g, Scratch& scratch, Matrix<const T> a) {
  if (!g.converts_rows) return {a.data, a.stride};
  auto* packed = scratch.take<std::byte>(rows_bytes(g, a.rows, a.cols));
  packing.add(a.rows, 1, 16, 1, [&g, packed, a](const PackRange& range) {
    g.pack_a_rows(packed, a.data, a.stride, a.cols, range.first, range.last);
  });
  return {packed, g.elements(a.cols) + g.row_pad};
}

template <class T>
int64_t strips_bytes(const GemmKernels<T>& g, int64_t m, int64_t k) {
  const int64_t rows = ceil_div(ceil_div(m, g.strip_rows) * g.strip_rows, g.row_multiple) * g.row_multiple;
  const int64_t stride = g.elements(k) + (g.strips_are_rows ? g.row_pad : g.panel_pad);
  return rows * stride * static_cast<int64_t>(g.element_bytes);
}
constexpr int64_t kStripElements = 64;  // of a tile of packing
// partial_sums [ceil(K / kStripElements)][M], where not null: the sums of the columns over a tile of packing, taken
// while it is cached, of A before it was rounded.
template <class T>
OperandA strips_operand(Packing& packing, const GemmKernels<T>& g, Scratch& scratch, Matrix<const T> a,
                        Matrix<const T> unrounded, T* partial_sums) {
  auto* packed = scratch.take<std::byte>(strips_bytes(g, a.cols, a.rows));
  packing.add(ceil_div(a.cols, g.strip_rows), g.elements(a.rows), 64, kStripElements,
              [&g, packed, a, unrounded, partial_sums](const PackRange& range) {
                g.pack_a_strips(packed, a.data, a.stride, a.cols, a.rows, range);
                if (!partial_sums) return;
                const int64_t first = range.first * g.strip_rows, last = std::min(a.cols, range.last * g.strip_rows);
                const int64_t k = range.begin * g.element_depth, end = std::min(a.rows, range.end * g.element_depth);
                T* sums = partial_sums + range.begin / kStripElements * a.cols + first;
                std::fill(sums, sums + (last - first), T(0));
                vector_kernels<T>().column_sum(sums, unrounded.row(k) + first, end - k, last - first, unrounded.stride);
              });
  return {packed, g.strips_are_rows ? g.elements(a.rows) + g.row_pad : 0};
}
template <class T>
int64_t strip_tiles(const GemmKernels<T>& g, int64_t k) {
  return ceil_div(g.elements(k), kStripElements);
}

// What a form means for its operands.
bool transposes_a(GemmForm form) {
  return form == GemmForm::tn;
}
PackFrom packs_from(GemmForm form) {
  return form == GemmForm::nt ? PackFrom::n_major : PackFrom::k_major;
}

// A tile of C packs its own panel of B where rows are few. Many are read once for each panel, and that costs more than
// to pack B before. Where A is packed too, both are best done in one go.
template <class T>
bool packs_in_tiles(const GemmKernels<T>& g, GemmForm form, int64_t rows) {
  constexpr int64_t kMany = 1024;
  return g.own_rows > 0 && !transposes_a(form) && rows < kMany;
}

template <class T>
void multiply(const Exec& ex, GemmForm form, std::span<const GemmProduct<T>> products, const GemmOptions<T>& options) {
  Scratch scratch(ex.workspace);
  Packing packing;
  TileGroup<T> group(ex);
  const auto& g = gemm_kernels<T>(active_isa(), options.precision);
  const PackFrom from = packs_from(form);
  Matrix<const T> partial_sums(nullptr, 0, 0);
  for (const GemmProduct<T>& p : products) {
    if (p.c.rows == 0 || p.c.cols == 0) continue;
    Matrix<const T> left = p.a, right = p.b;
    if constexpr (std::is_same_v<T, float>) {
      if (options.precision == Precision::f16)
        left = half_copy(ex, scratch, left), right = half_copy(ex, scratch, right);
    }
    T* sums =
        options.column_sums && transposes_a(form) ? scratch.take<T>(strip_tiles(g, left.rows) * left.cols) : nullptr;
    if (sums) partial_sums = {sums, strip_tiles(g, left.rows), left.cols};
    GemmTask<T> task;
    task.c = p.c;
    task.a = transposes_a(form) ? strips_operand(packing, g, scratch, left, p.a, sums)
                                : rows_operand(packing, g, scratch, left);
    task.depth = transposes_a(form) ? left.rows : left.cols;
    if (packs_in_tiles(g, form, p.c.rows)) {
      task.b = {right.data, right.stride, from};
    } else {
      auto* panels = scratch.take<std::byte>(static_cast<int64_t>(packed_b_bytes(g, p.c.cols, task.depth)));
      if (options.activation_of_b == Activation::none) {
        pack_b(packing, g, panels, right, from);
      } else {
        pack_activated(packing, g, panels, right, options.activation_of_b);
      }
      task.b_panels = panels;
    }
    group.add(g, task, options.epilogue);
  }
  packing.run(ex);
  for (int64_t i = 0; i < partial_sums.rows; ++i)  // in order
    vector_kernels<T>().add(options.column_sums, options.column_sums, partial_sums.row(i), partial_sums.cols);
  group.run(ex);
}

// Elements along k that C = Aᵀ B takes at a time: what is packed of them is still cached when it is read. A multiple of
// the tiles' own blocks, so that the bits are the same.
constexpr int64_t kTransposedElements = 512;
template <class T>
int64_t transposed_depth(const GemmKernels<T>& g) {
  return kTransposedElements * g.element_depth;
}

template <class T>
void multiply(const Exec& ex, GemmForm form, Matrix<T> c, Matrix<const T> a, Matrix<const T> b,
              const GemmOptions<T>& options) {
  GemmProduct<T> one{c, a, b};
  const std::span<const GemmProduct<T>> products(&one, 1);
  const Epilogue<T>& e = options.epilogue;
  const bool plain =
      e.scale == 1 && !e.bias && e.activation == Activation::none && !e.pre_activation.data && !e.residual.data;
  const int64_t most = transposed_depth(gemm_kernels<T>(active_isa(), options.precision));
  if (form != GemmForm::tn || !plain || a.rows <= most) return multiply<T>(ex, form, products, options);
  GemmOptions<T> part = options;
  for (int64_t k = 0; k < a.rows; k += most) {
    const int64_t depth = std::min(most, a.rows - k);
    one.a = Matrix<const T>(a.row(k), depth, a.cols, a.stride);
    one.b = Matrix<const T>(b.row(k), depth, b.cols, b.stride);
    multiply<T>(ex, form, products, part);
    part.epilogue.accumulate = true;
  }
}

}  // namespace

template <class T>
size_t gemm_workspace(GemmForm form, int64_t m, int64_t n, int64_t k, Precision precision) {
  const auto& g = gemm_kernels<T>(active_isa(), precision);
  const auto rounded =
      precision == Precision::f16 ? static_cast<size_t>((m + n) * k) * sizeof(T) : 0;  // half_copy of both
  if (form == GemmForm::tn) k = std::min(k, transposed_depth(g));
  const int64_t a = transposes_a(form) ? strips_bytes(g, m, k) + strip_tiles(g, k) * m * static_cast<int64_t>(sizeof(T))
                                       : rows_bytes(g, m, k);
  return rounded + static_cast<size_t>(a) + (packs_in_tiles(g, form, m) ? 0 : packed_b_bytes(g, n, k));
}

template <class T>
PackedB<T> pack_operand(const Exec& ex, Scratch& scratch, Matrix<const T> b, PackFrom from, Precision precision) {
  const auto& g = gemm_kernels<T>(active_isa(), precision);
  const bool n_major = from == PackFrom::n_major;
  const int64_t n = n_major ? b.rows : b.cols, k = n_major ? b.cols : b.rows;
  auto* panels = scratch.take<std::byte>(static_cast<int64_t>(packed_b_bytes(g, n, k)));
  Packing packing;
  pack_b(packing, g, panels, b, from);
  packing.run(ex);
  return {&g, panels, n, k};
}

template <class T>
void multiply_packed(const Exec& ex, Matrix<T> c, Matrix<const T> a, const PackedB<T>& b, const Epilogue<T>& epilogue) {
  if (c.rows == 0 || c.cols == 0) return;
  Scratch scratch(ex.workspace);
  Packing packing;
  GemmTask<T> task;
  task.c = c;
  task.a = rows_operand(packing, *b.kernels, scratch, a);
  task.b_panels = b.panels;
  task.depth = b.depth;
  packing.run(ex);
  run(ex, *b.kernels, task, epilogue);
}

template <class T>
void gemm_nn(const Exec& ex, Matrix<T> c, ConstMatrix<T> a, ConstMatrix<T> b, const GemmOptionsFor<T>& options) {
  multiply<T>(ex, GemmForm::nn, c, a, b, options);
}
template <class T>
void gemm_nt(const Exec& ex, Matrix<T> c, ConstMatrix<T> a, ConstMatrix<T> b, const GemmOptionsFor<T>& options) {
  multiply<T>(ex, GemmForm::nt, c, a, b, options);
}
template <class T>
void gemm_tn(const Exec& ex, Matrix<T> c, ConstMatrix<T> a, ConstMatrix<T> b, const GemmOptionsFor<T>& options) {
  multiply<T>(ex, GemmForm::tn, c, a, b, options);
}

template <class T>
void gemm_batch(const Exec& ex, GemmForm form, std::span<const GemmProduct<T>> products,
                const GemmOptionsFor<T>& options) {
  multiply<T>(ex, form, products, options);
}

#define LLMKIT_INSTANTIATE(T)                                                                                 \
  template void gemm_nn(const Exec&, Matrix<T>, ConstMatrix<T>, ConstMatrix<T>, const GemmOptionsFor<T>&);    \
  template void gemm_nt(const Exec&, Matrix<T>, ConstMatrix<T>, ConstMatrix<T>, const GemmOptionsFor<T>&);    \
  template void gemm_tn(const Exec&, Matrix<T>, ConstMatrix<T>, ConstMatrix<T>, const GemmOptionsFor<T>&);    \
  template void gemm_batch(const Exec&, GemmForm, std::span<const GemmProduct<T>>, const GemmOptionsFor<T>&); \
  template size_t gemm_workspace<T>(GemmForm, int64_t, int64_t, int64_t, Precision);                          \
  template PackedB<T> pack_operand(const Exec&, Scratch&, Matrix<const T>, PackFrom, Precision);              \
  template void multiply_packed(const Exec&, Matrix<T>, Matrix<const T>, const PackedB<T>&, const Epilogue<T>&);
LLMKIT_INSTANTIATE(float)
LLMKIT_INSTANTIATE(double)
#undef LLMKIT_INSTANTIATE

size_t PackedWeight::bytes_for(int64_t out, int64_t in, Precision precision) {
  return packed_b_bytes(gemm_kernels<float>(active_isa(), precision), out, in);
}

void PackedWeight::pack(const Exec& ex, Matrix<const float> w, bool out_major, Precision precision) {
  isa_ = active_isa();
  precision_ = precision;
  out_ = out_major ? w.rows : w.cols;
  in_ = out_major ? w.cols : w.rows;
  const auto& g = gemm_kernels<float>(isa_, precision);
  const size_t bytes = packed_b_bytes(g, out_, in_);
  if (buffer_.size() != bytes) buffer_ = AlignedBuffer(bytes);
  Scratch scratch(ex.workspace);
  if (precision == Precision::f16) w = half_copy(ex, scratch, w);
  Packing packing;
  pack_b(packing, g, buffer_.data(), w, out_major ? PackFrom::n_major : PackFrom::k_major);
  packing.run(ex);
}

void gemm_packed(const Exec& ex, Matrix<float> c, Matrix<const float> a, const PackedWeight& w,
                 const Epilogue<float>& epilogue) {
  const PackedB<float> b{&gemm_kernels<float>(w.isa(), w.precision()), w.panels(), w.out_features(), w.in_features()};
  Scratch scratch(ex.workspace);
  if (w.precision() == Precision::f16) a = half_copy(ex, scratch, a);
  multiply_packed(ex, c, a, b, epilogue);
}

void gemm_grouped(const Exec& ex, std::span<const PackedProduct> products) {
  Scratch scratch(ex.workspace);
  Packing packing;
  TileGroup<float> group(ex);
  for (const PackedProduct& p : products) {
    const auto& g = gemm_kernels<float>(p.weight->isa(), p.weight->precision());
    GemmTask<float> task;
    task.c = p.c;
    const bool half = p.weight->precision() == Precision::f16;
    task.a = rows_operand(packing, g, scratch, half ? half_copy(ex, scratch, p.a) : p.a);
    task.b_panels = p.weight->panels();
    task.depth = p.weight->in_features();
    group.add(g, task, p.epilogue);
  }
  packing.run(ex);
  group.run(ex);
}

}  // namespace llmkit::kernels
