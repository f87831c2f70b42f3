#include "pretrain/estimate.h"

#include <algorithm>

#include "pretrain/plan.h"

namespace llmkit::pretrain {

LayerLine line_through(int64_t layers_a, double seconds_a, int64_t layers_b, double seconds_b) {
  if (layers_a == layers_b) return {0, seconds_b / static_cast<double>(layers_b)};
  double per_layer = std::max(0.0, (seconds_b - seconds_a) / static_cast<double>(layers_b - layers_a));
  return {std::max(0.0, seconds_b - per_layer * static_cast<double>(layers_b)), per_layer};
}

double DecodingTime::tokens(double first_context, double count) const {
  return count * (b + k * (first_context + (count - 1) / 2));
}

Estimate count_costs(const PretrainOptions& options, int64_t vocabulary) {
  Estimate out;
  out.config = model_config(options.model, vocabulary, nullptr);
  out.training_memory = memory_plan(options, out.config);
  out.parameters = out.training_memory.parameters;
  auto real = [](int64_t n) { return static_cast<double>(n); };
  const models::ModelConfig& c = out.config;
  out.embedding_parameters =
      c.vocab_size * c.hidden_size + (c.position == "learned" ? c.max_positions * c.hidden_size : 0);
  out.training_flops = flops_per_token(c, options.model.context);
  out.forward_flops = out.training_flops / 3;
  out.step_tokens = real(options.train.batch * options.train.accumulation * options.model.context);
  if (options.train.steps > 0)
    out.steps = real(options.train.steps);
  else if (options.train.tokens > 0)
    out.steps = options.train.tokens / out.step_tokens;
  out.kv_bytes_per_token = 2.0 * 4 * real(c.layers) * real(c.kv_heads) * real(c.head_dim);
  out.weight_bytes = static_cast<double>(out.training_memory.weights);
  out.checkpoint_bytes = static_cast<double>(out.training_memory.weights + out.training_memory.optimizer);
  return out;
}

}  // namespace llmkit::pretrain
