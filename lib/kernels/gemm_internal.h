// For kernels that use one packed operand in several products.
#pragma once

#include "kernels/gemm_table.h"

namespace llmkit::kernels {

template <class T>
struct PackedB {  // lives as long as the scratch scope it was taken from
  const GemmKernels<T>* kernels = nullptr;
  const void* panels = nullptr;
  int64_t cols = 0, depth = 0;
};

// B[K,N] of C = A B, from N rows of K (n_major: W of a linear layer's forward) or K rows of N (k_major).
template <class T>
PackedB<T> pack_operand(const Exec& ex, Scratch& scratch, Matrix<const T> b, PackFrom from, Precision precision);
template <class T>
void multiply_packed(const Exec& ex, Matrix<T> c, Matrix<const T> a, const PackedB<T>& b,
                     const Epilogue<T>& epilogue = {});

}  // namespace llmkit::kernels
