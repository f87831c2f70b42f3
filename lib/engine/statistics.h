// Sizes of weights, gradients and activations, layer by layer: where a run that goes wrong does so first. A layer is
// what the first part of a parameter's name says ("embedding", "head"), or "layers.3". Sums go in fixed tiles: the
// numbers are the same for any thread count.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/objective.h"
#include "kernels/exec.h"
#include "nn/parameters.h"

namespace llmkit::engine {

struct LayerStatistics {
  std::string layer;
  double weight = 0, gradient = 0;                // root mean squares; the gradient before clipping
  double activation = 0, largest_activation = 0;  // of the state behind the layer, first micro-batch; 0 = not a block
};

std::vector<LayerStatistics> layer_statistics(const kernels::Exec& exec, nn::ParameterStore& parameters,
                                              std::span<const Objective::Activation> activations);

}  // namespace llmkit::engine
