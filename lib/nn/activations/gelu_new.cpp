#include "nn/activation.h"

namespace llmkit::nn {

Entry<ActivationKind> activation_gelu_new() {
  return {{"gelu_new", "GELU by its tanh approximation, as in GPT-2",
           "Hendrycks, Gimpel: Gaussian error linear units, 2016"},
          make_activation<kernels::Activation::gelu_tanh>};
}

}  // namespace llmkit::nn
