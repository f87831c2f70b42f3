// What a run tells of itself while it runs: metrics.jsonl and samples.txt (exact, without a clock), timings.jsonl, the
// TensorBoard event file, and the terminal.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "base/context.h"
#include "engine/metrics.h"
#include "engine/objective.h"
#include "engine/run_folder.h"
#include "engine/statistics.h"

namespace llmkit::engine {

struct MonitorOptions {
  int64_t steps = 0;           // of the whole run
  double flops_per_token = 0;  // with `peak_flops`: MFU
  double peak_flops = 0;
};

class Monitor {
 public:
  Monitor(const MonitorOptions& options, RunFolder& run, Context& context);

  // Opens the logs, cut to these lengths; also after a rewind. False where a log was shorter.
  bool start(const LogLengths& lengths, int64_t step);
  LogLengths sync();  // on the disk when it returns

  void step(const StepRecord& record, const StepShape& shape, double seconds, double update_seconds);
  void anomaly(int64_t step, std::string_view reason, bool applied);
  void overflow(int64_t step, double loss_scale, double next_loss_scale);
  void rewind(const Rewind& rewind);
  void statistics(int64_t step, std::span<const LayerStatistics> layers);
  void validation(int64_t step, std::span<const NamedValue> values);
  void sample(int64_t step, const std::string& text);

  int64_t session_tokens() const { return session_tokens_; }
  double session_step_seconds() const { return session_step_seconds_; }

 private:
  double share_of_peak(double tokens_per_second) const;
  void show_progress(const StepRecord& record);

  MonitorOptions options_;
  RunFolder& run_;
  Context& context_;
  int64_t session_steps_ = 0, session_tokens_ = 0;
  double session_step_seconds_ = 0;
  double smooth_loss_ = 0;
  std::string validation_note_;
};

// Bytes of memory that this process holds now, and the most it ever held; 0 where the system does not say.
double resident_bytes();
double peak_resident_bytes();

}  // namespace llmkit::engine
