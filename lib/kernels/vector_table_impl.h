#pragma once

#include "kernels/activation_impl.h"
#include "kernels/dropout_impl.h"
#include "kernels/elementwise_impl.h"
#include "kernels/norm_impl.h"
#include "kernels/optimizer_impl.h"
#include "kernels/reduce_impl.h"
#include "kernels/rope_impl.h"
#include "kernels/vector_table.h"

namespace llmkit::kernels {

template <class V>
constexpr VectorKernels<typename V::T> make_vector_kernels() {
  return {
      .add = ElementwiseKernels<V>::add,
      .scale = ElementwiseKernels<V>::scale,
      .axpy = ElementwiseKernels<V>::axpy,
      .multiply = ElementwiseKernels<V>::multiply,
      .multiply_add = ElementwiseKernels<V>::multiply_add,
      .to_bf16 = ElementwiseKernels<V>::to_bf16,
      .from_bf16 = ElementwiseKernels<V>::from_bf16,
      .activation_forward = ActivationKernels<V>::forward,
      .activation_backward = ActivationKernels<V>::backward,
      .glu_forward = ActivationKernels<V>::glu_forward,
      .glu_backward = ActivationKernels<V>::glu_backward,
      .norm_forward = NormKernels<V>::forward,
      .norm_backward = NormKernels<V>::backward,
      .rope_token = RopeKernels<V>::token,
      .sum = ReduceKernels<V>::sum,
      .dot = ReduceKernels<V>::dot,
      .column_sum = ReduceKernels<V>::column_sum,
      .softmax = ReduceKernels<V>::softmax,
      .softmax_backward = ReduceKernels<V>::softmax_backward,
      .log_sum_exp = ReduceKernels<V>::log_sum_exp,
      .scaled_probabilities = ReduceKernels<V>::scaled_probabilities,
      .adamw = OptimizerKernels<V>::adamw,
      .sgd = OptimizerKernels<V>::sgd,
      .lion = OptimizerKernels<V>::lion,
      .blend = OptimizerKernels<V>::blend,
      .dropout = DropoutKernels<V>::apply,
  };
}

}  // namespace llmkit::kernels
