// What a checkpoint holds besides the weights: the optimiser's state (optimizer.safetensors) and the loop's
// (state.json). No clock, host name or thread count is in it, so equal runs write equal checkpoints.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/anomaly.h"
#include "engine/objective.h"
#include "engine/rewind.h"
#include "engine/run_folder.h"
#include "nn/parameters.h"
#include "optim/loss_scale.h"
#include "optim/optimizer.h"

namespace llmkit::engine {

struct FitState {
  int64_t step = 0;       // updates done
  int64_t data_step = 0;  // steps of data read or skipped: `step` as long as no rewind skipped any
  int64_t tokens = 0;     // read
  double loss = 0;        // of the last step
  LogLengths logs;
  std::vector<NamedValue> validation;  // the last one
  AnomalyState anomaly;
  std::vector<Rewind> rewinds;  // oldest first
  optim::LossScaleState loss_scale;
  std::vector<std::pair<std::string, std::string>> identity;  // FitOptions::identity
};

std::string write_state(const FitState& state);
FitState read_state(const std::string& json, const std::string& where);

// Throws UsageError naming the first entry that differs: a run goes on with what it began with.
void expect_same_run(const FitState& saved, const std::vector<std::pair<std::string, std::string>>& now);

void save_optimizer(const std::string& path, optim::Optimizer& optimizer, const nn::ParameterStore& parameters);
void load_optimizer(const std::string& path, optim::Optimizer& optimizer, const nn::ParameterStore& parameters);

// The values of a store under its own parameter names, for objectives without a model folder of their own.
void save_values(const std::string& path, nn::ParameterStore& parameters);
void load_values(const std::string& path, nn::ParameterStore& parameters);

}  // namespace llmkit::engine
