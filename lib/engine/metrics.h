// The lines of metrics.jsonl and timings.jsonl: one object a line, fixed key order, shortest exact numbers.
//   {"step": 500, "loss": 3.1, "learning_rate": 0.001, "gradient_norm": 0.7, "tokens": 384000}   each step
//   {"step": 500, "val_loss": 3.2, "val_perplexity": 24.5, "val_bits_per_byte": 1.4}             each validation
//   {"step": 500, "layers": [{"layer": "layers.0", "weight": …}, …]}                             each
//   --statistics-every
//   {"step": 500, "anomaly": "gradient norm 91.2 is a spike (…)", "applied": true}               each anomaly
//   {"step": 400, "rewind": "loss is NaN", "from": 512, "skipped": [510, 514]}                  each rewind, and the
//   steps whose data is skipped
//   {"step": 500, "overflow": true, "loss_scale": 65536, "next_loss_scale": 32768}               each step left out by
//   half precision
// The loss and gradient norm of a step are those before its update; `step` counts updates done after it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/objective.h"
#include "engine/rewind.h"
#include "engine/statistics.h"

namespace llmkit::engine {

struct StepRecord {
  int64_t step = 0;
  double loss = 0, learning_rate = 0, gradient_norm = 0;
  int64_t tokens = 0;  // read since the start of the run
};
std::string step_line(const StepRecord& record);
std::string validation_line(int64_t step, std::span<const NamedValue> values);
std::string statistics_line(int64_t step, std::span<const LayerStatistics> layers);
std::string rewind_line(const Rewind& rewind);
std::string anomaly_line(int64_t step, std::string_view reason, bool applied);
std::string overflow_line(int64_t step, double loss_scale, double next_loss_scale);

struct TimingRecord {
  int64_t step = 0;
  double seconds = 0;         // of the step: batches, forward, backward, update
  double update_seconds = 0;  // of the gradient norm and the optimiser, within it
  double tokens_per_second = 0;
  double mfu = 0;  // share of the measured peak; 0 = not known
};
std::string timing_line(const TimingRecord& record);

// What a run's logs hold, for reports: the last record of each step counts.
struct RunHistory {
  std::vector<StepRecord> steps;
  std::vector<TimingRecord> timings;
  struct Validation {
    int64_t step;
    std::vector<NamedValue> values;
  };
  std::vector<Validation> validations;
  struct Statistics {
    int64_t step;
    std::vector<LayerStatistics> layers;
  };
  std::vector<Statistics> statistics;
  std::vector<std::string> anomalies;  // "step 512: …"
};
RunHistory read_history(const std::string& metrics_path, const std::string& timings_path);

}  // namespace llmkit::engine
