#include "models/model.h"

#include <algorithm>

#include "base/units.h"
#include "models/architecture.h"
#include "models/decoder.h"
#include "tensor/ops.h"

namespace llmkit::models {

Recompute parse_recompute(const std::string& name) {
  if (name == "none") return Recompute::none;
  if (name == "attention") return Recompute::attention;
  if (name == "block") return Recompute::block;
  throw UsageError(ErrorParts{"unknown kind of recomputation", "--recompute", "none, attention or block", name, {}});
}

std::unique_ptr<Model> Model::create(const ModelConfig& config, uint64_t seed, Parallel& parallel,
                                     const ModelOptions& options) {
  architectures().find(config.architecture);  // a readable error for an unknown one
  auto model = std::make_unique<Decoder>(config, options);
  if (!options.planning) model->parameters().initialise(seed, parallel);
  return model;
}

MemoryPlan Model::plan(const ModelConfig& config, const PlanRequest& request) {
  Decoder model(config, {DType::f32, request.training, true, request.recompute});
  Parallel one(1);
  Tape tape(one, {.recording = request.training,
                  .planning = true,
                  .precision = request.precision,
                  .seed = 0,
                  .keep_packed = request.keep_packed});
  TokenBatch batch;
  batch.sequences = request.sequences;
  batch.length = request.length;
  Tensor loss = model.loss(tape, batch, {}, {});
  if (request.training) tape.backward(loss);

  MemoryPlan plan;
  auto block = static_cast<size_t>(model.parameters().flat_size()) * sizeof(float);
  plan.parameters = model.parameters().count();
  plan.weights = block;
  plan.gradients = request.training ? block * static_cast<size_t>(request.gradient_blocks) : 0;
  plan.optimizer = request.training ? block * static_cast<size_t>(request.optimizer_slots) : 0;
  size_t matrix_bytes = request.precision == Precision::bf16 ? 2 : sizeof(float);
  for (const nn::Parameter& p : model.parameters().list())
    if (tape.keeps_packed() && p.shape.rank() == 2 && p.name.starts_with("layers."))
      plan.packed_weights += static_cast<size_t>(p.size()) * matrix_bytes * (request.training ? 2 : 1);
  TapeMemory peak = tape.peak();
  plan.activations = peak.activations + peak.nodes;
  plan.activation_gradients = peak.gradients;
  plan.workspace = peak.workspace;
  return plan;
}

std::string MemoryPlan::text() const {
  std::string out;
  auto line = [&](const char* name, size_t bytes) {
    std::string left = name;
    left.resize(22, ' ');
    out += left + format_bytes(bytes) + "\n";
  };
  line("weights", weights);
  line("gradients", gradients);
  line("optimiser", optimizer);
  line("packed weights", packed_weights);
  line("activations", activations);
  line("activation gradients", activation_gradients);
  line("workspace", workspace);
  if (program > 0) line("program and data", program);
  line("total", total());
  return out;
}

Tensor Model::loss(Tape& tape, const TokenBatch& batch, std::span<const int32_t> targets,
                   std::span<const float> weights, double z_weight) {
  TokenBatch with_dropout = batch;
  with_dropout.dropout = batch.dropout && tape.recording();
  return ops::token_loss(tape, hidden(tape, with_dropout), head(), targets, weights, z_weight);
}

Tensor Model::logprobs(Tape& tape, const TokenBatch& batch, std::span<const int32_t> targets) {
  TokenBatch with_dropout = batch;
  with_dropout.dropout = batch.dropout && tape.recording();
  return ops::token_logprobs(tape, hidden(tape, with_dropout), head(), targets);
}

void Model::logprobs(Tape& tape, const TokenBatch& batch, std::span<const int32_t> targets, std::span<float> out) {
  Tape::Scope scope(tape);
  Tape::Pause pause(tape);
  Tensor y = logprobs(tape, batch, targets);
  if (out.size() != targets.size()) throw Error("logprobs: one output per target expected");
  dispatch(y.dtype(), [&]<class T>() { std::copy_n(y.data<T>(), y.size(), out.data()); });
}

Tensor Model::logits(Tape& tape, const TokenBatch& batch) {
  Tape::Pause pause(tape);
  TokenBatch without_dropout = batch;
  without_dropout.dropout = false;
  return ops::linear(tape, hidden(tape, without_dropout), head());
}

}  // namespace llmkit::models
