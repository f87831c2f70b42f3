#include "nn/activation.h"

namespace llmkit::nn {

Entry<ActivationKind> activation_gelu_pytorch_tanh() {
  return {{"gelu_pytorch_tanh", "the same as gelu_new under the name that Gemma uses",
           "Hendrycks, Gimpel: Gaussian error linear units, 2016"},
          make_activation<kernels::Activation::gelu_tanh>};
}

}  // namespace llmkit::nn
