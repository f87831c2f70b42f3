#include "nn/activation.h"

namespace llmkit::nn {

Entry<ActivationKind> activation_sigmoid() {
  return {{"sigmoid", "1 / (1 + e^-x)", ""}, make_activation<kernels::Activation::sigmoid>};
}

}  // namespace llmkit::nn
