// The ops: one file each in ops/, with shapes, equation and derivative at its head. Every op takes float and double
// tensors; matrices are row-major with rows = everything but the last dimension. An empty Tensor stands for "none".
// ops.def lists them; tests/grad checks every one against central differences.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/activation.h"
#include "kernels/norm.h"
#include "kernels/rope.h"
#include "tensor/tape.h"

namespace llmkit::ops {

using kernels::Activation;
using kernels::NormKind;

// Names a family of random streams, one per sequence: (seed, step, sequence, layer, site).
struct DropoutSite {
  double rate = 0;  // 0: the op does nothing
  uint64_t first_sequence_id = 0;
  int64_t sequences = 1;  // the rows are this many equal parts
  uint64_t layer = 0, site = 0;
};

struct LinearOptions {
  Tensor bias{};      // [out]
  Tensor residual{};  // [.., out], added last
  Activation activation = Activation::none;
};
// y = act(x Wᵀ + bias) + residual; x [.., in], weight [out, in]
Tensor linear(Tape& tape, const Tensor& x, const Tensor& weight, const LinearOptions& options = {});

// y[m] = table[ids[m]] + residual[m]; table [entries, width], residual [ids, width] or empty. Ids outside the table
// throw.
Tensor embedding(Tape& tape, const Tensor& table, std::span<const int32_t> ids, const Tensor& residual = {});

Tensor add(Tape& tape, const Tensor& a, const Tensor& b);
Tensor activation(Tape& tape, const Tensor& x, Activation kind);
// y = act(x[.., :D]) · x[.., D:]; x [.., 2D]
Tensor glu(Tape& tape, const Tensor& x, Activation kind);
// y = drop(x) + residual
Tensor dropout(Tape& tape, const Tensor& x, const DropoutSite& site, const Tensor& residual = {});

struct NormOptions {
  NormKind kind = NormKind::rms;
  double epsilon = 1e-5;
};
// Over the last dimension; weight, bias [width] or empty.
Tensor norm(Tape& tape, const Tensor& x, const Tensor& weight, const Tensor& bias, const NormOptions& options = {});

struct RopeTables {  // [positions, rotary_dim / 2] each, in the dtype of x
  const void* cos = nullptr;
  const void* sin = nullptr;
  int64_t positions = 0, rotary_dim = 0;
};
struct RopeOptions {
  kernels::RopeLayout layout = kernels::RopeLayout::rotate_half;
  int64_t heads = 1, head_dim = 0;  // the first heads·head_dim columns are turned, the others kept
  bool in_place = false;            // writes into x: only where x's own producer does not need its value afterwards
};
// x [tokens, ≥ heads·head_dim]; positions [tokens] below tables.positions, checked
Tensor rope(Tape& tape, const Tensor& x, const RopeTables& tables, std::span<const int32_t> positions,
            const RopeOptions& options);

struct AttentionOptions {
  int64_t sequences = 1;  // rows are sequences · length
  int64_t heads = 1, kv_heads = 1, head_dim = 64;
  double scale = 1;
  bool causal = true;
  int64_t window = 0;
  std::span<const int32_t> documents{};  // [rows] or empty
  DropoutSite dropout{};
  // Terms of position within the tiles; equations and papers: ops/attention_terms.h. Empty: none.
  std::span<const double> slopes{};   // [heads], ALiBi
  RopeTables rotation{};              // turns queries and keys by their place in the sequence (rotate_half)
  Tensor score_bias{};                // [heads, distances]
  Tensor key_terms{}, value_terms{};  // [distances, head_dim] each
};
// qkv [rows, (heads + 2·kv_heads)·head_dim], queries, keys, values side by side → [rows, heads·head_dim]
Tensor attention(Tape& tape, const Tensor& qkv, const AttentionOptions& options);

// log p(target | hidden) with logits = hidden Wᵀ; hidden [rows, width], weight [vocab, width] → [rows], 0 for negative
// targets
Tensor token_logprobs(Tape& tape, const Tensor& hidden, const Tensor& weight, std::span<const int32_t> targets);
// Scalar Σ wᵢ·(-log p(targetᵢ) + z_weight·lseᵢ²): logits are computed once, and the gradient with them.
Tensor token_loss(Tape& tape, const Tensor& hidden, const Tensor& weight, std::span<const int32_t> targets,
                  std::span<const float> weights, double z_weight = 0);

// Scalar Σ wᵢ xᵢ.
Tensor weighted_sum(Tape& tape, const Tensor& x, std::span<const double> weights);

// The stream key of each sequence, in the arena.
const uint64_t* dropout_keys(Tape& tape, const DropoutSite& site);

}  // namespace llmkit::ops
