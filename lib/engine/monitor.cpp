#include "engine/monitor.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/log.h"
#include "base/units.h"
#include "formats/event_file.h"

namespace llmkit::engine {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// TensorBoard makes a section of what stands before the slash.
std::string section(const std::string& name) {
  return (name.starts_with("val_") ? "validation/" : "other/") + name;
}

}  // namespace

double resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (!file) return 0;
  long pages = 0;
  int found = std::fscanf(file, "%*s %ld", &pages);
  std::fclose(file);
  return found == 1 ? static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGE_SIZE)) : 0;
}

double peak_resident_bytes() {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? 1024.0 * static_cast<double>(usage.ru_maxrss) : 0;
}

Monitor::Monitor(const MonitorOptions& options, RunFolder& run, Context& context)
    : options_(options), run_(run), context_(context) {}

bool Monitor::start(const LogLengths& lengths, int64_t step) {
  const LogLengths opened = run_.open_logs(lengths);
  if (opened.events == 0) run_.events().append(formats::event_file_start(now()));
  context_.progress.update(static_cast<double>(step), static_cast<double>(options_.steps), "steps", {});
  return opened == lengths;
}

LogLengths Monitor::sync() {
  return run_.sync_logs();
}

double Monitor::share_of_peak(double tokens_per_second) const {
  return options_.peak_flops > 0 ? tokens_per_second * options_.flops_per_token / options_.peak_flops : 0;
}

void Monitor::step(const StepRecord& record, const StepShape& shape, double seconds, double update_seconds) {
  double speed = static_cast<double>(shape.tokens) / seconds, mfu = share_of_peak(speed);
  run_.metrics().append(step_line(record));
  run_.timings().append(timing_line({record.step, seconds, update_seconds, speed, mfu}));
  const formats::EventScalar scalars[] = {{"training/loss", record.loss},
                                          {"training/learning_rate", record.learning_rate},
                                          {"training/gradient_norm", record.gradient_norm},
                                          {"training/tokens", static_cast<double>(record.tokens)},
                                          {"speed/tokens_per_second", speed},
                                          {"speed/mfu", mfu}};
  run_.events().append(formats::scalar_event(now(), record.step, scalars));
  session_tokens_ += shape.tokens;
  session_step_seconds_ += seconds;
  show_progress(record);
}

void Monitor::show_progress(const StepRecord& record) {
  // A resumed run starts its averages anew: they are for the eye only.
  ++session_steps_;
  double weight = std::max(1.0 / static_cast<double>(session_steps_), 0.02);
  smooth_loss_ += weight * (record.loss - smooth_loss_);
  double speed = static_cast<double>(session_tokens_) / session_step_seconds_;
  char loss[32], share[32] = "";
  std::snprintf(loss, sizeof loss, "loss %.4f", smooth_loss_);
  if (options_.peak_flops > 0) std::snprintf(share, sizeof share, ", MFU %.0f %%", 100 * share_of_peak(speed));
  std::string note = loss + validation_note_ + ", " + format_count(static_cast<uint64_t>(speed)) + " tokens/s" + share +
                     ", " + format_bytes(resident_bytes());
  context_.progress.point(static_cast<double>(record.step), record.loss);
  context_.progress.update(static_cast<double>(record.step), static_cast<double>(options_.steps), "steps", note);
}

void Monitor::anomaly(int64_t step, std::string_view reason, bool applied) {
  run_.metrics().append(anomaly_line(step, reason, applied));
  log::warning("step " + std::to_string(step) + ": " + std::string(reason) +
               (applied ? "" : "; the update is left out"));
}

void Monitor::overflow(int64_t step, double loss_scale, double next_loss_scale) {
  run_.metrics().append(overflow_line(step, loss_scale, next_loss_scale));
  log::info("step " + std::to_string(step) +
            ": half precision overflowed; the update is left out, the loss scale is now " +
            std::to_string(static_cast<int64_t>(next_loss_scale)));
}

void Monitor::rewind(const Rewind& rewind) {
  run_.metrics().append(rewind_line(rewind));
  log::warning("step " + std::to_string(rewind.from_step) + ": " + rewind.reason + "; back to step " +
               std::to_string(rewind.to_step) + ", data of steps " + std::to_string(rewind.first_data + 1) + " to " +
               std::to_string(rewind.last_data + 1) + " is skipped");
}

void Monitor::statistics(int64_t step, std::span<const LayerStatistics> layers) {
  run_.metrics().append(statistics_line(step, layers));
  std::vector<std::string> tags;
  std::vector<double> values;
  auto add = [&](const char* kind, const LayerStatistics& layer, double value) {
    tags.push_back(kind + layer.layer);
    values.push_back(value);
  };
  for (auto& layer : layers) {
    add("weights/", layer, layer.weight);
    add("gradients/", layer, layer.gradient);
    if (layer.activation > 0) add("activations/", layer, layer.activation);
  }
  std::vector<formats::EventScalar> scalars;
  for (size_t i = 0; i < tags.size(); ++i) scalars.push_back({tags[i], values[i]});
  run_.events().append(formats::scalar_event(now(), step, scalars));
}

void Monitor::validation(int64_t step, std::span<const NamedValue> values) {
  if (values.empty()) return;
  run_.metrics().append(validation_line(step, values));
  std::vector<std::string> tags;
  for (auto& v : values) tags.push_back(section(v.name));
  std::vector<formats::EventScalar> scalars;
  std::string text = "step " + std::to_string(step) + ":";
  for (size_t i = 0; i < values.size(); ++i) {
    scalars.push_back({tags[i], values[i].value});
    if (values[i].detail()) continue;
    char value[64];
    std::snprintf(value, sizeof value, " %s %.4f", values[i].name.c_str(), values[i].value);
    text += value;
    std::snprintf(value, sizeof value, ", %s %.4f", values[i].name.c_str(), values[i].value);
    if (i == 0) validation_note_ = value;
  }
  run_.events().append(formats::scalar_event(now(), step, scalars));
  log::info(text);
}

void Monitor::sample(int64_t step, const std::string& text) {
  if (text.empty()) return;
  run_.samples().append("=== step " + std::to_string(step) + "\n" + text + "\n\n");
  run_.events().append(formats::text_event(now(), step, "sample", text));
}

}  // namespace llmkit::engine
