// Pointwise activations by their Hugging Face names; activations.def lists them. What a kernel is told is an enum, so
// that a product can apply it in its epilogue.
#pragma once

#include "base/registry.h"
#include "kernels/activation.h"

namespace llmkit::nn {

class ActivationKind {
 public:
  explicit ActivationKind(kernels::Activation kernel) : kernel_(kernel) {}
  kernels::Activation kernel() const { return kernel_; }

 private:
  kernels::Activation kernel_;
};

template <kernels::Activation kKernel>
std::unique_ptr<ActivationKind> make_activation(const Values&) {
  return std::make_unique<ActivationKind>(kKernel);
}

const Registry<ActivationKind>& activations();

}  // namespace llmkit::nn
