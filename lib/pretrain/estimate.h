// What a configuration will cost, before it is run: parameters, arithmetic, memory, and the time of training and
// decoding on this machine.
//
// A transformer's time is a constant (embedding, output matrix, loss) plus so much for every layer. Two short
// measurements of the same model with few layers give both numbers for training; decoding is measured at two lengths of
// context, and the time of a token is k·context + b. What is not measured is counted: memory by the plan that the run
// itself uses, arithmetic by the conventions of flops_per_token.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/context.h"
#include "models/config.h"
#include "models/model.h"
#include "pretrain/options.h"

namespace llmkit::pretrain {

// Seconds as a line in the number of layers.
struct LayerLine {
  double fixed = 0, per_layer = 0;
  double at(int64_t layers) const { return fixed + per_layer * static_cast<double>(layers); }
};
LayerLine line_through(int64_t layers_a, double seconds_a, int64_t layers_b, double seconds_b);

struct TrainingTime {
  double micro_batch = 0, update = 0;  // seconds
  double step(int64_t accumulation) const { return micro_batch * static_cast<double>(accumulation) + update; }
};

// Reading a prompt of n tokens takes `per_token`·n + `per_pair`·n²; a token behind x others k·x + b.
struct DecodingTime {
  double prompt_per_token = 0, prompt_per_pair = 0;
  double k = 0, b = 0;
  double prompt(double tokens) const { return (prompt_per_token + prompt_per_pair * tokens) * tokens; }
  double token(double context) const { return k * context + b; }
  double tokens(double first_context, double count) const;  // seconds for `count` tokens in a row
};

struct Estimate {
  models::ModelConfig config;
  models::MemoryPlan training_memory;
  int64_t parameters = 0, embedding_parameters = 0;
  double training_flops = 0, forward_flops = 0;  // per token
  double step_tokens = 0, steps = 0;             // of the run; 0 steps: its length was not given
  double kv_bytes_per_token = 0, weight_bytes = 0, checkpoint_bytes = 0;
  TrainingTime training;
  DecodingTime decoding;
  int64_t measured_layers[2] = {0, 0};  // of the training measurements
};

// Counts only; `vocabulary` tokens.
Estimate count_costs(const PretrainOptions& options, int64_t vocabulary);
// The two short measurements.
void measure_times(Estimate& estimate, const PretrainOptions& options, Context& context);

// The whole model, measured: what --check compares with.
struct Measured {
  TrainingTime training;
  double prompt = 0;    // seconds for `prompt_tokens`
  double decoding = 0;  // seconds for `decoded_tokens` behind them
  int64_t prompt_tokens = 0, decoded_tokens = 0;
};
Measured measure_whole(const Estimate& estimate, const PretrainOptions& options, Context& context);

}  // namespace llmkit::pretrain
