// The row kernels of one instruction set, as functions on plain ranges. The public functions cut their work into
// tiles and call these.
#pragma once

#include "kernels/activation.h"
#include "kernels/bf16.h"
#include "kernels/norm.h"
#include "kernels/rope.h"

namespace llmkit::kernels {

template <class T>
struct AdamwCoefficients;
template <class T>
struct SgdCoefficients;
template <class T>
struct LionCoefficients;

template <class T>
struct VectorKernels {
  void (*add)(T*, const T*, const T*, int64_t);
  void (*scale)(T*, const T*, T, int64_t);
  void (*axpy)(T*, T, const T*, int64_t);
  void (*multiply)(T*, const T*, const T*, int64_t);
  void (*multiply_add)(T*, const T*, const T*, int64_t);
  void (*to_bf16)(Bf16*, const T*, int64_t);
  void (*from_bf16)(T*, const Bf16*, int64_t);
  void (*activation_forward)(Activation, T*, const T*, int64_t);
  void (*activation_backward)(Activation, T*, const T*, const T*, int64_t, bool accumulate);
  void (*glu_forward)(Activation, T*, const T*, const T*, int64_t);
  void (*glu_backward)(Activation, T*, T*, const T*, const T*, const T*, int64_t, bool accumulate);
  void (*norm_forward)(const NormArgs<T>&, int64_t begin, int64_t end);
  void (*norm_backward)(const NormGradient<T>&, T* dweight, T* dbias, int64_t begin, int64_t end);
  void (*rope_token)(const RopeArgs<T>&, int64_t position, T*, const T*, bool accumulate);
  double (*sum)(const T*, int64_t);
  double (*dot)(const T*, const T*, int64_t);
  void (*column_sum)(T*, const T*, int64_t rows, int64_t n, int64_t stride);
  void (*softmax)(T*, const T*, int64_t);
  void (*softmax_backward)(T*, const T*, const T*, int64_t);
  T (*log_sum_exp)(const T*, int64_t);
  void (*scaled_probabilities)(T*, T lse, T factor, int64_t);
  void (*adamw)(T*, const T*, T*, T*, Bf16*, int64_t, const AdamwCoefficients<T>&);
  void (*sgd)(T*, const T*, T*, int64_t, const SgdCoefficients<T>&);
  void (*lion)(T*, const T*, T*, int64_t, const LionCoefficients<T>&);
  void (*blend)(T*, const T*, T, int64_t);
  void (*dropout)(T*, const T*, int64_t n, uint64_t key, uint64_t first_group, uint32_t threshold, T keep,
                  bool accumulate);
};

// Of the active instruction set; double always takes the portable one.
template <class T>
const VectorKernels<T>& vector_kernels();

// Each is defined in the file of its instruction set.
const VectorKernels<float>& vector_kernels_portable_float();
const VectorKernels<double>& vector_kernels_portable_double();
const VectorKernels<float>& vector_kernels_avx2();
const VectorKernels<float>& vector_kernels_avx512();

}  // namespace llmkit::kernels
