// What a run is going to be, worked out before anything is allocated: the model's shape, its memory, its arithmetic,
// its number of steps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/loader.h"
#include "models/config.h"
#include "models/model.h"
#include "pretrain/options.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::pretrain {

models::ModelConfig model_config(const ModelOptions& options, int64_t vocab_size,
                                 const tokenizer::Tokenizer* tokenizer);

Precision parse_precision(std::string_view name);

models::PlanRequest plan_request(const PretrainOptions& options, int ranks = 1);  // of each of so many processes

// The memory of the one of `ranks` processes that has most: the step, its share of the chosen optimiser's state and, as
// workspace, the shares of the others, which rank 0 puts together for a checkpoint.
models::MemoryPlan memory_plan(const PretrainOptions& options, const models::ModelConfig& config, int ranks = 1);

// Floating-point operations of forward and backward per token, by the convention of PaLM's appendix B (Chowdhery et
// al., 2022): 6 per matrix parameter (the output matrix counts, the embedding does not) and 12 · heads · head size ·
// context per layer for attention, its causal half not taken off.
double flops_per_token(const models::ModelConfig& config, int64_t context);

// How the number of micro-batches of a step grows.
engine::BatchRamp batch_ramp(const TrainOptions& train);

// The spec of the registry `optimizers`: what stands in --optimizer; AdamW's own options fill the gaps of plain
// "adamw".
std::string optimizer_spec(const TrainOptions& train);

// Steps from --steps, --tokens or --epochs; 0 where none was given. UsageError where more than one was.
int64_t planned_steps(const TrainOptions& train, int64_t context, uint64_t train_tokens);

// Steps that fit into `seconds`, from the measured time of a micro-batch, the time of an update and of validation.
int64_t steps_in(double seconds, double step_seconds, double validation_seconds, int64_t validate_every);

}  // namespace llmkit::pretrain
