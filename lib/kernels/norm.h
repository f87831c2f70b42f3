// Layer normalisation (Ba et al. 2016) and root mean square normalisation (Zhang and Sennrich 2019) of rows, with the
// residual addition that precedes them fused in:
//   s = x + residual;   layer: y = (s - mean)·rstd·weight + bias;   rms: y = s·rstd·weight
#pragma once

#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/exec.h"

namespace llmkit::kernels {

enum class NormKind : uint8_t { layer, rms };

template <class T>
struct NormArgs {
  NormKind kind = NormKind::rms;
  int64_t rows = 0, dim = 0;
  T epsilon = T(1e-5);
  const T* x = nullptr;         // [rows, dim]
  const T* residual = nullptr;  // [rows, dim] or null
  T* sum = nullptr;  // [rows, dim]: x + residual is written here (needed with residual; may be x or residual itself)
  const T* weight = nullptr;   // [dim] or null (ones)
  const T* bias = nullptr;     // [dim] or null (layer only)
  T* y = nullptr;              // [rows, dim]
  T* mean = nullptr;           // [rows], layer; may be null where no backward follows
  T* rstd = nullptr;           // [rows]; may be null where no backward follows
  Bf16* keep = nullptr;        // [rows, dim] or null: x rounded to bf16 is written here
  const Bf16* kept = nullptr;  // [rows, dim] or null: takes the place of x
};
template <class T>
void norm_forward(const Exec& ex, const NormArgs<T>& args);

template <class T>
struct NormGradient {
  NormKind kind = NormKind::rms;
  int64_t rows = 0, dim = 0;
  const T* s = nullptr;        // the normalised input: x, or the forward's sum
  const Bf16* kept = nullptr;  // or null: takes the place of s
  const T* weight = nullptr;
  const T* mean = nullptr;  // layer
  const T* rstd = nullptr;
  const T* dy = nullptr;
  T* dx = nullptr;       // += ; with a residual, both summands have this gradient. Null: not wanted
  T* dweight = nullptr;  // += or null
  T* dbias = nullptr;    // += or null
};
template <class T>
void norm_backward(const Exec& ex, const NormGradient<T>& args);

}  // namespace llmkit::kernels
