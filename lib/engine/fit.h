// The training loop: accumulate gradients, judge them, clip, update, and now and then validate, sample and save.
//
// Everything that decides the next step is a function of (parameters, optimiser state, step, seed, anomaly windows),
// and all of that is in a checkpoint, so a run that was killed at any moment and resumed ends with the same bytes as
// one that was not: model, checkpoints, metrics.jsonl and samples.txt. Clocks go to timings.jsonl alone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/anomaly.h"
#include "engine/objective.h"
#include "engine/rewind.h"
#include "engine/run_folder.h"
#include "nn/parameters.h"

namespace llmkit::engine {

struct FitOptions {
  int64_t steps = 1000;
  std::string optimizer = "adamw";  // spec of the registry `optimizers`
  std::string schedule = "cosine";  // spec of the registry `schedules`
  double learning_rate = 1e-3;      // its peak
  double min_learning_rate = 1e-4;  // its last
  int64_t warmup_steps = 100;
  double clip_norm = 1.0;          // 0 = no clipping
  int64_t grad_groups = 1;         // gradient_tree.h; a power of two
  double ema = 0;                  // decay of an average of the weights (Optimizer::attach); 0 = none
  bool scale_loss = false;         // dynamic loss scaling, for half precision
  int64_t validate_every = 500;    // 0 = at the end only
  int64_t sample_every = 0;        // 0 = at the end only
  int64_t checkpoint_every = 500;  // 0 = at the end only
  int64_t keep_checkpoints = 2;    // the newest so many stay
  int64_t milestone_every = 0;     // checkpoints of these steps stay for good; 0 = none
  int64_t statistics_every = 100;  // weights, gradients and activations by layer; 0 = never
  int64_t stop_after = 0;          // end behind this step as if a signal had come; 0 = never
  bool save_at_stop = true;        // false: then and only then as if killed
  AnomalyOptions anomaly;
  RewindOptions rewind;  // under AnomalyPolicy::rewind
  // What must be equal when a run is resumed (data hash, batch, seed, …); checkpoints carry it.
  std::vector<std::pair<std::string, std::string>> identity;
  // Called once when nothing stands in the way any more: what a resumed run left has been read and is of this run. What
  // belongs to the folder besides the logs is written here, so that a refused --resume changes no file.
  std::function<void()> accepted;
  double flops_per_token = 0;  // with `peak_flops`: MFU in the progress line and timings
  double peak_flops = 0;
};

struct FitResult {
  int64_t step = 0;  // updates done; less than FitOptions::steps when interrupted
  bool interrupted = false;
  double loss = 0;                     // of the last step
  std::vector<NamedValue> validation;  // the last one
  int64_t anomalies = 0, rewinds = 0;
  int64_t resumed_from = 0;  // 0 = from the start
  int64_t tokens = 0, session_tokens = 0;
  double session_seconds = 0;      // of this process, checkpoints and validation included
  double step_seconds = 0;         // of this process, steps alone
  double peak_memory = 0;          // bytes that this process held at most
  std::vector<std::string> notes;  // damaged checkpoints that were passed over, anomalies
};

FitResult fit(Objective& objective, nn::ParameterStore& parameters, const FitOptions& options, RunFolder& run,
              Context& context);

}  // namespace llmkit::engine
