#include "optim/newton_schulz.h"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise.h"
#include "kernels/gemm.h"
#include "kernels/reduce.h"

namespace llmkit::optim {

namespace {
constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;
constexpr double kEpsilon = 1e-7;
}  // namespace

template <class T>
void newton_schulz(const kernels::Exec& ex, kernels::Matrix<T> x, int steps) {
  const bool tall = x.rows > x.cols;
  const int64_t side = std::min(x.rows, x.cols), size = x.rows * x.cols;
  kernels::Scratch scratch(ex.workspace);
  kernels::Matrix<T> gram(scratch.take<T>(side * side), side, side), map(scratch.take<T>(side * side), side, side);
  kernels::Matrix<T> next(scratch.take<T>(size), x.rows, x.cols);
  double norm = std::sqrt(kernels::sum_of_squares<T>(ex, x.data, size));
  kernels::scale<T>(ex, x.data, x.data, static_cast<T>(1 / (norm + kEpsilon)), size);
  for (int step = 0; step < steps; ++step) {
    if (tall)
      kernels::gemm_tn<T>(ex, gram, x, x);
    else
      kernels::gemm_nt<T>(ex, gram, x, x);
    kernels::GemmOptions<T> options;
    options.epilogue.scale = static_cast<T>(kC);
    kernels::gemm_nn<T>(ex, map, gram, gram, options);
    kernels::axpy<T>(ex, map.data, static_cast<T>(kB), gram.data, side * side);
    for (int64_t i = 0; i < side; ++i) map.row(i)[i] += static_cast<T>(kA);
    if (tall)
      kernels::gemm_nn<T>(ex, next, x, map);
    else
      kernels::gemm_nn<T>(ex, next, map, x);
    kernels::copy<T>(ex, x.data, next.data, size);
  }
}

template void newton_schulz(const kernels::Exec&, kernels::Matrix<float>, int);
template void newton_schulz(const kernels::Exec&, kernels::Matrix<double>, int);

}  // namespace llmkit::optim
