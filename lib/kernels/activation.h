// Pointwise activations and gated linear units (Shazeer, "GLU variants improve Transformer", 2020).
//   gelu_tanh  0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))      (Hendrycks and Gimpel, 2016; GPT-2's form)
//   gelu_erf   0.5 x (1 + erf(x / √2))
//   silu       x / (1 + e^-x)
// Gradients accumulate, or overwrite where `accumulate` is false.
#pragma once

#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/exec.h"
#include "kernels/matrix.h"

namespace llmkit::kernels {

enum class Activation : uint8_t { none, relu, gelu_tanh, gelu_erf, silu, relu_squared, tanh, sigmoid };

template <class T>  // y[n] = act(x[n]); y may be x
void activation_forward(const Exec& ex, Activation kind, T* y, const T* x, int64_t n);
template <class T>  // dx[n] += act'(x[n]) dy[n]; dx may be dy when it is overwritten
void activation_backward(const Exec& ex, Activation kind, T* dx, const T* dy, const T* x, int64_t n,
                         bool accumulate = true);

// x[n] is rounded to bf16, which is kept in `rounded` where that is given; then x = act(x).
void activate_rounded(const Exec& ex, Activation kind, float* x, Bf16* rounded, int64_t n);
// The same as above of an x that is kept in bf16.
void activation_forward(const Exec& ex, Activation kind, float* y, const Bf16* x, int64_t n);
void activation_backward(const Exec& ex, Activation kind, float* dx, const float* dy, const Bf16* x, int64_t n,
                         bool accumulate = true);

template <class T>  // y[M,D] = act(gate[M,D]) · up[M,D]; gate and up are often halves of one [M,2D] matrix
void glu_forward(const Exec& ex, Activation kind, Matrix<T> y, ConstMatrix<T> gate, ConstMatrix<T> up);
template <class T>  // dgate += act'(gate) up dy;  dup += act(gate) dy
void glu_backward(const Exec& ex, Activation kind, Matrix<T> dgate, Matrix<T> dup, ConstMatrix<T> dy,
                  ConstMatrix<T> gate, ConstMatrix<T> up, bool accumulate = true);

}  // namespace llmkit::kernels
