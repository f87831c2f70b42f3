// Optimiser steps over flat state, one pass over the memory. AdamW (Loshchilov and Hutter 2019), with g' =
// grad_scale·g:
//   m = β1 m + (1-β1) g';  v = β2 v + (1-β2) g'²;  p = p - lr·decay·p - lr · (m/(1-β1^t)) / (√(v/(1-β2^t)) + ε)
#pragma once

#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/exec.h"

namespace llmkit::kernels {

struct AdamwOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
  double grad_scale = 1.0;  // clipping and loss scale, folded into the pass
  int64_t step = 1;         // t, from 1
};
template <class T>  // p, m, v [n] updated; copy: p rounded to bf16 in the same pass, or null
void adamw_step(const Exec& ex, T* p, const T* g, T* m, T* v, int64_t n, const AdamwOptions& options,
                Bf16* copy = nullptr);

struct SgdOptions {
  double learning_rate = 1e-2;
  double momentum = 0.0;
  double weight_decay = 0.0;
  double grad_scale = 1.0;
  bool nesterov = false;
};
// d = grad_scale·g + decay·p; b = momentum·b + d; p -= lr·b (nesterov: lr·(d + momentum·b)); b may be null without
// momentum
template <class T>
void sgd_step(const Exec& ex, T* p, const T* g, T* b, int64_t n, const SgdOptions& options);

struct LionOptions {
  double learning_rate = 1e-4;
  double beta1 = 0.9, beta2 = 0.99;
  double weight_decay = 0.0;
  double grad_scale = 1.0;
};
template <class T>  // g' = grad_scale·g; p = p - lr·decay·p - lr·sign(β1 m + (1-β1) g'); m = β2 m + (1-β2) g'
void lion_step(const Exec& ex, T* p, const T* g, T* m, int64_t n, const LionOptions& options);

template <class T>  // average += share · (p - average)
void blend_step(const Exec& ex, T* average, const T* p, int64_t n, double share);

}  // namespace llmkit::kernels
