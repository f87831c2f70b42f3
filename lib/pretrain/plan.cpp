#include "pretrain/plan.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "engine/data_parallel.h"
#include "engine/gradient_tree.h"
#include "optim/optimizer.h"

namespace llmkit::pretrain {

models::ModelConfig model_config(const ModelOptions& options, int64_t vocab_size,
                                 const tokenizer::Tokenizer* tokenizer) {
  models::ModelConfig config;
  config.architecture = options.arch;
  config.vocab_size = vocab_size;
  config.hidden_size = options.width;
  config.layers = options.layers;
  config.heads = options.heads;
  config.kv_heads = options.kv_heads;
  config.intermediate_size = options.ffn;
  config.max_positions = options.context;
  config.tie_embeddings = options.tied;
  config.rope_theta = options.rope_base;
  config.attention_dropout = config.residual_dropout = config.embedding_dropout = options.dropout;
  if (options.arch == "gpt2") {
    config.norm = "layer-norm";
    config.activation = "gelu_new";
    config.gated = false;
    config.position = "learned";
    config.qkv_bias = config.output_bias = config.ffn_bias = options.bias;
    if (options.kv_heads != 0 && options.kv_heads != options.heads)
      throw UsageError(ErrorParts{"gpt2 has as many key and value heads as heads", "--kv-heads",
                                  std::to_string(options.heads), std::to_string(options.kv_heads),
                                  "--arch llama has grouped heads"});
  }
  if (tokenizer) {
    config.bos_token_id = tokenizer->bos().value_or(-1);
    config.pad_token_id = tokenizer->pad().value_or(-1);
    if (auto eos = tokenizer->eos()) config.eos_token_ids = {*eos};
  }
  try {
    config.complete();
  } catch (const Error& error) {  // all of it was typed
    throw UsageError(error.what());
  }
  return config;
}

Precision parse_precision(std::string_view name) {
  if (name == "f32") return Precision::f32;
  if (name == "bf16") return Precision::bf16;
  if (name == "f16") return Precision::f16;
  throw UsageError(ErrorParts{"unknown precision", {}, "f32, bf16 or f16", std::string(name), {}});
}

models::PlanRequest plan_request(const PretrainOptions& options, int ranks) {
  models::PlanRequest request;
  request.sequences = options.train.batch;
  request.length = options.model.context;
  request.gradient_blocks = 1 + engine::log2_of(options.train.grad_groups, "--grad-groups") -
                            engine::log2_of(ranks, "the number of processes");
  request.precision = parse_precision(options.train.precision);
  request.recompute = models::parse_recompute(options.train.recompute);
  request.keep_packed = options.train.accumulation > 1;
  return request;
}

models::MemoryPlan memory_plan(const PretrainOptions& options, const models::ModelConfig& config, int ranks) {
  models::MemoryPlan plan = models::Model::plan(config, plan_request(options, ranks));
  Parallel one(1);
  auto model = models::Model::create(config, 0, one, {.planning = true});
  auto optimizer = optim::optimizers().make(optimizer_spec(options.train));
  engine::SharedMemory shared = engine::planned_memory(*optimizer, model->parameters(), options.train.ema, ranks);
  plan.optimizer = shared.optimizer;
  plan.workspace += shared.messages + shared.assembled;
  return plan;
}

double flops_per_token(const models::ModelConfig& config, int64_t context) {
  auto real = [](int64_t n) { return static_cast<double>(n); };
  double head_size = real(config.head_dim), width = real(config.hidden_size);
  double attention = width * head_size * (2 * real(config.heads) + 2 * real(config.kv_heads));
  double ffn = (config.gated ? 3 : 2) * width * real(config.intermediate_size);
  double matrices = real(config.layers) * (attention + ffn) + width * real(config.vocab_size);
  int64_t seen = config.sliding_window > 0 ? std::min(config.sliding_window, context) : context;
  return 6 * matrices + 12 * real(config.layers) * real(config.heads) * head_size * real(seen);
}

int64_t planned_steps(const TrainOptions& train, int64_t context, uint64_t train_tokens) {
  int given = (train.steps > 0) + (train.tokens > 0) + (train.epochs > 0) + (train.minutes > 0);
  if (given != 1)
    throw UsageError(ErrorParts{given == 0 ? "how long to train was not said" : "the length of the run was given twice",
                                {},
                                "one of --steps, --tokens, --epochs, --minutes",
                                {},
                                {}});
  if (train.grad_groups > train.accumulation)
    throw UsageError(ErrorParts{"a gradient group needs a micro-batch",
                                {},
                                "--accumulation of at least " + std::to_string(train.grad_groups),
                                std::to_string(train.accumulation),
                                "half the --batch and twice the --accumulation is the same step"});
  double tokens = train.tokens > 0 ? train.tokens : train.epochs * static_cast<double>(train_tokens);
  if (tokens > 0) return batch_ramp(train).steps_for(tokens / static_cast<double>(train.batch * context));
  return train.steps;
}

engine::BatchRamp batch_ramp(const TrainOptions& train) {
  return engine::BatchRamp(train.accumulation, train.batch_warmup > 0 ? train.grad_groups : 0, train.batch_warmup);
}

std::string optimizer_spec(const TrainOptions& train) {
  if (train.optimizer != "adamw") return train.optimizer;  // others take their parameters in the spec
  char spec[200];
  std::snprintf(spec, sizeof spec, "adamw:beta1=%.17g,beta2=%.17g,epsilon=%.17g,weight-decay=%.17g", train.beta1,
                train.beta2, train.epsilon, train.weight_decay);
  return spec;
}

int64_t steps_in(double seconds, double step_seconds, double validation_seconds, int64_t validate_every) {
  double each = step_seconds + (validate_every > 0 ? validation_seconds / static_cast<double>(validate_every) : 0);
  return std::max<int64_t>(1, static_cast<int64_t>((seconds - validation_seconds) / each));
}

}  // namespace llmkit::pretrain
