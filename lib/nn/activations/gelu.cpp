#include "nn/activation.h"

namespace llmkit::nn {

Entry<ActivationKind> activation_gelu() {
  return {{"gelu", "x Φ(x), by the error function", "Hendrycks, Gimpel: Gaussian error linear units, 2016"},
          make_activation<kernels::Activation::gelu_erf>};
}

}  // namespace llmkit::nn
