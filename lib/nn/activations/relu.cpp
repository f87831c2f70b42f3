#include "nn/activation.h"

namespace llmkit::nn {

Entry<ActivationKind> activation_relu() {
  return {{"relu", "max(x, 0)", ""}, make_activation<kernels::Activation::relu>};
}

}  // namespace llmkit::nn
