#include "pretrain/init.h"

#include <cmath>

#include "base/error.h"

namespace llmkit::pretrain {
namespace {

bool inside_layers(const nn::Parameter& p) {
  return p.shape.rank() == 2 && p.name.starts_with("layers.");
}

bool adds_to_the_stream(const nn::Parameter& p) {
  return inside_layers(p) && (p.name.ends_with("attention.output.weight") || p.name.ends_with("ffn.down.weight"));
}

void set_small(nn::ParameterSpec& settings, const nn::Parameter& p, const models::ModelConfig& config) {
  auto width = static_cast<double>(config.hidden_size), layers = static_cast<double>(config.layers);
  settings.deviation = adds_to_the_stream(p) ? 2 / (layers * std::sqrt(width)) : std::sqrt(2 / (5 * width));
}

void set_mup(nn::ParameterSpec& settings, const nn::Parameter& p, double ratio) {
  if (inside_layers(p)) {
    settings.deviation /= std::sqrt(ratio);
    settings.rate_scale = 1 / ratio;
  } else if (p.name == "head.weight") {
    settings.deviation /= ratio;
    settings.rate_scale = 1 / ratio;
  }
}

}  // namespace

void check_rule(const InitOptions& options, std::string_view optimizer) {
  std::string_view name = optimizer.substr(0, optimizer.find(':'));
  if (options.rule == "mup" && name != "adamw" && name != "lion")
    throw UsageError(ErrorParts{"--init mup does not know the learning rates of this optimiser", "--optimizer",
                                "adamw or lion", std::string(name), "--init gpt2 or small"});
}

void initialise(models::Model& model, const InitOptions& options, uint64_t seed, Parallel& parallel, bool draw) {
  if (options.rule == "gpt2") return;  // what Model::create did
  const models::ModelConfig& config = model.config();
  if (options.rule == "mup" && config.tie_embeddings)
    throw UsageError(ErrorParts{"--init mup needs an output matrix of its own", {}, "--no-tied", {}, {}});
  nn::ParameterStore& store = model.parameters();
  for (size_t i = 0; i < store.list().size(); ++i) {
    const nn::Parameter& p = store.list()[i];
    if (p.init != nn::Init::normal) continue;
    nn::ParameterSpec& settings = store.settings(static_cast<nn::ParameterId>(i));
    if (options.rule == "small")
      set_small(settings, p, config);
    else
      set_mup(settings, p, static_cast<double>(config.hidden_size) / static_cast<double>(options.base_width));
  }
  if (draw) store.initialise(seed, parallel);
}

}  // namespace llmkit::pretrain
