#include "nn/activation.h"

namespace llmkit::nn {

Entry<ActivationKind> activation_tanh() {
  return {{"tanh", "hyperbolic tangent", ""}, make_activation<kernels::Activation::tanh>};
}

}  // namespace llmkit::nn
