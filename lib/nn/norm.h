// Normalisation of rows; norms.def lists the kinds.
#pragma once

#include <string>

#include "base/registry.h"
#include "nn/parameters.h"
#include "tensor/ops.h"

namespace llmkit::nn {

class Norm {
 public:
  virtual ~Norm() = default;
  virtual void declare(ParameterStore& store, const std::string& name, int64_t width) = 0;
  virtual Tensor forward(Tape& tape, const ParameterStore& store, const Tensor& x) const = 0;
};

const Registry<Norm>& norms();

}  // namespace llmkit::nn
