#include "nn/activation.h"

namespace llmkit::nn {

Entry<ActivationKind> activation_silu() {
  return {
      {"silu", "x · sigmoid(x), also called swish", "Ramachandran et al.: Searching for activation functions, 2017"},
      make_activation<kernels::Activation::silu>};
}

}  // namespace llmkit::nn
