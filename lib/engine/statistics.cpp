#include "engine/statistics.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "kernels/reduce.h"

namespace llmkit::engine {
namespace {

constexpr std::string_view kBlocks = "layers.";

std::string_view layer_of(std::string_view parameter) {
  size_t from = parameter.starts_with(kBlocks) ? kBlocks.size() : 0;
  return parameter.substr(0, parameter.find('.', from));
}

// The block's number, or -1.
int64_t block_of(std::string_view layer) {
  int64_t block = -1;
  if (layer.starts_with(kBlocks)) std::from_chars(layer.data() + kBlocks.size(), layer.data() + layer.size(), block);
  return block;
}

}  // namespace

std::vector<LayerStatistics> layer_statistics(const kernels::Exec& exec, nn::ParameterStore& parameters,
                                              std::span<const Objective::Activation> activations) {
  std::vector<LayerStatistics> layers;
  std::vector<double> counts;
  dispatch(parameters.dtype(), [&]<class T>() {
    for (auto& p : parameters.list()) {
      if (std::string_view layer = layer_of(p.name); layers.empty() || layers.back().layer != layer) {
        layers.push_back({std::string(layer)});
        counts.push_back(0);
      }
      auto values = parameters.values<T>(p), gradients = parameters.gradients<T>(p);
      layers.back().weight += kernels::sum_of_squares(exec, values.data(), p.size());
      layers.back().gradient += kernels::sum_of_squares(exec, gradients.data(), p.size());
      counts.back() += static_cast<double>(p.size());
    }
  });
  for (size_t i = 0; i < layers.size(); ++i) {
    layers[i].weight = std::sqrt(layers[i].weight / counts[i]);
    layers[i].gradient = std::sqrt(layers[i].gradient / counts[i]);
    auto block = block_of(layers[i].layer);
    if (block < 0 || block >= static_cast<int64_t>(activations.size())) continue;
    auto& activation = activations[static_cast<size_t>(block)];
    if (activation.count == 0) continue;
    layers[i].activation = std::sqrt(activation.sum_of_squares / static_cast<double>(activation.count));
    layers[i].largest_activation = activation.largest;
  }
  return layers;
}

}  // namespace llmkit::engine
