#include "nn/activation.h"

namespace llmkit::nn {

Entry<ActivationKind> activation_relu2() {
  return {{"relu2", "max(x, 0) squared", "So et al.: Primer, 2021"},
          make_activation<kernels::Activation::relu_squared>};
}

}  // namespace llmkit::nn
