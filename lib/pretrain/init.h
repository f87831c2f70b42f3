// How a fresh model's weights are drawn, and which parameters learn faster or slower than others.
//   gpt2   N(0, 0.02²); what a block adds to the residual stream by 1/√(2 layers) less (Radford et al. 2019)
//   small  N(0, 2/(5 width)); what a block adds N(0, (2/(layers √width))²) (Nguyen and Salazar 2019; Wang and
//   Komatsuzaki
//          2021, as in GPT-NeoX)
//   mup    maximal update parametrisation for Adam and Lion (Yang et al., "Tensor Programs V", 2022, table 3), so that
//   the best learning
//          rate of a model of width `base_width` holds for every width w. With r = w / base_width, against gpt2:
//            matrices inside layers: deviation / √r, rate / r;   output matrix: deviation / r, rate / r;   the rest as
//            it is
//          The output matrix must not be the embedding, and the size of a head has to stay the same.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/parallel.h"
#include "models/model.h"

namespace llmkit::pretrain {

struct InitOptions {
  std::string_view rule = "gpt2";
  int64_t base_width = 256;
};

// UsageError where the rule and an optimiser (a spec of the registry) do not go together: µP's rates here are those of
// steps whose size does not follow the gradient's (Yang et al. 2022, table 8), and muon's own scale already depends on
// the width.
void check_rule(const InitOptions& options, std::string_view optimizer);

// Sets the rate scales and draws the weights again by the rule. `draw` false: the rate scales alone (for a model whose
// weights are read from a file).
void initialise(models::Model& model, const InitOptions& options, uint64_t seed, Parallel& parallel, bool draw = true);

}  // namespace llmkit::pretrain
