// The lists of this layer, each from its .def file.
#include "nn/activation.h"
#include "nn/attention.h"
#include "nn/norm.h"
#include "nn/position.h"

namespace llmkit::nn {

#define LLMKIT_NORM(name) Entry<Norm> norm_##name();
#include "nn/norms.def"
#undef LLMKIT_NORM
#define LLMKIT_ACTIVATION(name) Entry<ActivationKind> activation_##name();
#include "nn/activations.def"
#undef LLMKIT_ACTIVATION
#define LLMKIT_POSITION(name) Entry<Position> position_##name();
#include "nn/positions.def"
#undef LLMKIT_POSITION
#define LLMKIT_ATTENTION(name) Entry<Attention> attention_##name();
#include "nn/attentions.def"
#undef LLMKIT_ATTENTION

const Registry<Norm>& norms() {
  static const Registry<Norm> registry("norm", {
#define LLMKIT_NORM(name) norm_##name(),
#include "nn/norms.def"
#undef LLMKIT_NORM
                                               });
  return registry;
}

const Registry<ActivationKind>& activations() {
  static const Registry<ActivationKind> registry("activation", {
#define LLMKIT_ACTIVATION(name) activation_##name(),
#include "nn/activations.def"
#undef LLMKIT_ACTIVATION
                                                               });
  return registry;
}

const Registry<Position>& positions() {
  static const Registry<Position> registry("position", {
#define LLMKIT_POSITION(name) position_##name(),
#include "nn/positions.def"
#undef LLMKIT_POSITION
                                                       });
  return registry;
}

const Registry<Attention>& attentions() {
  static const Registry<Attention> registry("attention", {
#define LLMKIT_ATTENTION(name) attention_##name(),
#include "nn/attentions.def"
#undef LLMKIT_ATTENTION
                                                         });
  return registry;
}

}  // namespace llmkit::nn
