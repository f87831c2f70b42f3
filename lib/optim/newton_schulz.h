// Brings all singular values of a matrix near 1 and leaves its singular vectors alone: G = U S Vᵀ becomes about U Vᵀ.
#pragma once

#include <cstdint>

#include "kernels/exec.h"
#include "kernels/matrix.h"

namespace llmkit::optim {

// In place, x[r, c] of any shape. First x / (|x|_F + ε), then `steps` times
//   x ← (a I + b A + c A²) x,  A = x xᵀ                       (x ← x (…), A = xᵀ x where r > c)
// with a, b, c = 3.4445, -4.7750, 2.0315 (Jordan et al., "Muon: an optimizer for hidden layers in neural networks",
// 2024): a singular value s goes through s ← a s + b s³ + c s⁵, which has it in [0.68, 1.14] soon, without converging.
template <class T>
void newton_schulz(const kernels::Exec& ex, kernels::Matrix<T> x, int steps = 5);

}  // namespace llmkit::optim
