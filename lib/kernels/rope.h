// Rotary position embedding (Su et al. 2021): pair j of a head is turned by the angle position · inv_frequency[j].
//   (a, b) → (a cos - b sin, b cos + a sin)
// rotate_half pairs (j, j + R/2), the layout of Hugging Face's Llama; interleaved pairs (2j, 2j+1) (GPT-J, Meta's
// Llama).
#pragma once

#include <cstdint>

#include "kernels/exec.h"
#include "kernels/matrix.h"

namespace llmkit::kernels {

enum class RopeLayout : uint8_t { rotate_half, interleaved };

template <class T>
struct RopeArgs {
  RopeLayout layout = RopeLayout::rotate_half;
  int64_t heads = 1, head_dim = 64;
  int64_t rotary_dim = 64;             // R ≤ head_dim, even; the rest of a head is copied
  const int32_t* positions = nullptr;  // [tokens], < the table's length
  const T* cos = nullptr;              // [max_positions, R/2]
  const T* sin = nullptr;
  bool inverse = false;  // turn back: the backward of the forward
};

// y[tokens, heads·head_dim] = rotated x (rows may be strided); y may be x. For the backward: inverse, and accumulate
// adds to y.
template <class T>
void rope(const Exec& ex, const RopeArgs<T>& args, Matrix<T> y, ConstMatrix<T> x, bool accumulate = false);

// Fills cos and sin, [positions, R/2] each, from inverse frequencies [R/2]: angles are computed in double.
template <class T>
void rope_table(T* cos, T* sin, const double* inv_frequency, int64_t positions, int64_t rotary_dim, double scale = 1.0);

}  // namespace llmkit::kernels
