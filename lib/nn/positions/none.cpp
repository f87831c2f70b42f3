// No positions: a causal model can still tell order apart (Haviv et al. 2022).
#include "nn/position.h"

namespace llmkit::nn {

Entry<Position> position_none() {
  return {{"none", "no positional signal besides the causal mask",
           "Haviv et al.: Transformer language models without positional encodings, 2022"},
          [](const Values&) -> std::unique_ptr<Position> { return std::make_unique<Position>(); }};
}

}  // namespace llmkit::nn
