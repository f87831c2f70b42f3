// How a model is told where a token stands; positions.def lists the kinds. A kind may add to the embeddings, turn
// queries and keys, or both; each has its own parameters or tables.
#pragma once

#include <span>

#include "base/registry.h"
#include "nn/parameters.h"
#include "tensor/ops.h"

namespace llmkit::nn {

struct PositionShape {
  int64_t max_positions = 0;
  int64_t hidden = 0;
  int64_t head_dim = 0;
  double deviation = 0.02;  // of a learned table
};

class Position {
 public:
  virtual ~Position() = default;
  virtual void declare(ParameterStore& /*store*/, const PositionShape& /*shape*/) {}
  // Onto the token embeddings x [rows, hidden].
  virtual Tensor embed(Tape&, const ParameterStore&, const Tensor& x, std::span<const int32_t> /*positions*/) const {
    return x;
  }
  // On the first `heads` heads (queries, then keys) of x, in place.
  virtual Tensor turn(Tape&, const Tensor& x, int64_t /*heads*/, std::span<const int32_t> /*positions*/) const {
    return x;
  }
};

const Registry<Position>& positions();

}  // namespace llmkit::nn
