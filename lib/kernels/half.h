// Rounding to IEEE half precision (11 bits of significand, exponents -14 … 15) in software: values stay floats, and
// become the nearest half, even on ties; beyond 65504 infinity, below 2^-14 multiples of 2^-24. Products of such inputs
// with fp32 sums are what a half-precision matrix unit computes.
#pragma once

#include "kernels/exec.h"
#include "kernels/matrix.h"

namespace llmkit::kernels {

void round_to_half(float* y, const float* x, int64_t n);  // y may be x
// A rounded copy in scratch memory.
Matrix<const float> half_copy(const Exec& ex, Scratch& scratch, Matrix<const float> x);

}  // namespace llmkit::kernels
