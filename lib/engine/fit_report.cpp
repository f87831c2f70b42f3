#include "engine/fit_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/report.h"
#include "base/units.h"
#include "engine/metrics.h"
#include "io/files.h"

namespace llmkit::engine {
namespace {

std::string number(double value, const char* format = "%.4g") {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

template <class Record>
Series curve(std::string name, const std::vector<Record>& records, double Record::*field) {
  Series series;
  series.name = std::move(name);
  for (auto& record : records) {
    series.x.push_back(static_cast<double>(record.step));
    series.y.push_back(record.*field);
  }
  return series;
}

// Exponential mean over about `steps` steps, corrected for its start.
Series smoothed(const Series& series, double steps) {
  Series out = series;
  out.name = "mean of " + number(steps, "%.0f") + " steps";
  double mean = 0, weight = 0, keep = 1 - 1 / steps;
  for (auto& y : out.y) {
    if (std::isfinite(y)) {
      mean = keep * mean + (1 - keep) * y;
      weight = keep * weight + (1 - keep);
    }
    y = weight > 0 ? mean / weight : y;
  }
  return out;
}

// One series of each validation figure whose name begins so, in the order of their first values.
std::vector<Series> validation_curves(const RunHistory& history, std::string_view prefix) {
  std::vector<Series> all;
  for (auto& validation : history.validations)
    for (auto& value : validation.values) {
      if (!value.name.starts_with(prefix)) continue;
      auto of_name = [&](const Series& series) { return series.name == value.name; };
      auto series = std::find_if(all.begin(), all.end(), of_name);
      if (series == all.end()) {
        series = all.emplace(all.end());
        series->name = value.name;
      }
      series->x.push_back(static_cast<double>(validation.step));
      series->y.push_back(value.value);
    }
  return all;
}

ChartOptions chart(std::string title, std::string y_label) {
  ChartOptions options;
  options.title = std::move(title);
  options.x_label = "step";
  options.y_label = std::move(y_label);
  return options;
}

void add_figures(Report& report, const FitResult& result) {
  std::vector<std::pair<std::string, std::string>> items{{"steps", format_count(static_cast<uint64_t>(result.step))},
                                                         {"tokens", short_number(static_cast<double>(result.tokens))},
                                                         {"last training loss", number(result.loss)}};
  for (auto& value : result.validation)
    if (!value.detail()) items.emplace_back(value.name, number(value.value));
  if (result.step_seconds > 0)
    items.emplace_back("tokens/s", format_count(static_cast<uint64_t>(static_cast<double>(result.session_tokens) /
                                                                      result.step_seconds)));
  items.emplace_back("time of this session", format_seconds(result.session_seconds));
  if (result.peak_memory > 0) items.emplace_back("peak memory", format_bytes(result.peak_memory));
  if (result.anomalies > 0) items.emplace_back("anomalies", std::to_string(result.anomalies));
  if (result.rewinds > 0) items.emplace_back("rewinds", std::to_string(result.rewinds));
  report.figures(items);
}

void add_curves(Report& report, const RunHistory& history) {
  Series loss = curve("training loss", history.steps, &StepRecord::loss);
  double window = std::max(10.0, static_cast<double>(history.steps.size()) / 50);
  std::vector<Series> losses{loss, smoothed(loss, std::floor(window))};
  for (auto& validation : validation_curves(history, "val_loss")) losses.push_back(validation);  // of each source too
  report.line_chart(chart("Loss", "nats per target"), losses);
  if (auto probes = validation_curves(history, "probe_perplexity"); !probes.empty()) {
    ChartOptions perplexities = chart("Perplexity of the probe texts", "perplexity");
    perplexities.log_y = true;
    report.line_chart(perplexities, probes);
  }
  report.line_chart(chart("Learning rate", "rate"),
                    {curve("learning rate", history.steps, &StepRecord::learning_rate)});
  ChartOptions norms = chart("Gradient norm before clipping", "norm");
  norms.log_y = true;
  report.line_chart(norms, {curve("gradient norm", history.steps, &StepRecord::gradient_norm)});
  if (history.timings.empty()) return;
  ChartOptions speed = chart("Speed", "tokens/s");
  speed.from_zero = true;
  Series speeds = curve("each step", history.timings, &TimingRecord::tokens_per_second);
  report.line_chart(speed, {speeds, smoothed(speeds, std::floor(window))});
  Series share = curve("MFU", history.timings, &TimingRecord::mfu);
  for (double& y : share.y) y *= 100;
  ChartOptions mfu = chart("Model FLOP/s of the measured peak", "%");
  mfu.from_zero = true;
  if (share.y.back() > 0) report.line_chart(mfu, {smoothed(share, std::floor(window))});
}

// One number of every layer over the steps; layers without it are left out.
HeatMap layers_over_steps(const RunHistory& history, double LayerStatistics::*field) {
  HeatMap map;
  for (auto& statistics : history.statistics) map.x.push_back(static_cast<double>(statistics.step));
  for (size_t l = 0; l < history.statistics.front().layers.size(); ++l) {
    std::vector<double> values;
    bool any = false;
    for (auto& statistics : history.statistics) {
      values.push_back(l < statistics.layers.size() ? statistics.layers[l].*field : 0);
      any |= values.back() > 0;
    }
    if (!any) continue;
    map.rows.push_back(history.statistics.front().layers[l].layer);
    map.values.push_back(std::move(values));
  }
  return map;
}

void add_layers(Report& report, const RunHistory& history) {
  report.heading("Layer by layer");
  report.paragraph(
      "Root mean squares on a logarithmic scale; the input is at the bottom. A stripe that grows darker from one step "
      "to the next shows where a run goes wrong first.");
  auto add = [&](std::string title, double LayerStatistics::*field) {
    HeatMap map = layers_over_steps(history, field);
    if (!map.rows.empty()) report.heat_map(chart(std::move(title), {}), map);
  };
  add("Gradients before clipping", &LayerStatistics::gradient);
  add("Activations behind each block", &LayerStatistics::activation);
  add("Largest activation behind each block", &LayerStatistics::largest_activation);
  add("Weights", &LayerStatistics::weight);
}

struct Sample {
  std::string title, text;
};

// Samples from the whole run, evenly chosen, the last one among them.
std::vector<Sample> samples_over_time(const std::string& path, size_t most) {
  constexpr std::string_view kStart = "=== step ";
  constexpr size_t kMostText = 4000;
  io::MappedFile file = io::map_file(path);
  std::string_view text = file.text();
  std::vector<size_t> starts;
  for (size_t at = 0; (at = text.find(kStart, at)) != std::string_view::npos; at += kStart.size())
    if (at == 0 || text[at - 1] == '\n') starts.push_back(at);
  std::vector<Sample> samples;
  for (size_t i = 0; i < std::min(most, starts.size()); ++i) {
    size_t which = starts.size() <= most ? i : i * (starts.size() - 1) / (most - 1);
    size_t end = which + 1 < starts.size() ? starts[which + 1] : text.size();
    std::string_view sample = text.substr(starts[which], end - starts[which]);
    size_t line = std::min(sample.find('\n'), sample.size());
    std::string_view body = sample.substr(std::min(line + 1, sample.size()));
    while (body.ends_with('\n')) body.remove_suffix(1);
    samples.push_back({"Step " + std::string(sample.substr(kStart.size(), line - kStart.size())),
                       std::string(body.substr(0, kMostText))});
  }
  return samples;
}

}  // namespace

std::string fit_report(const FitReportInput& input) {
  RunHistory history = read_history(input.run_path + "/metrics.jsonl", input.run_path + "/timings.jsonl");
  Report report(input.title, input.run_path);
  add_figures(report, input.result);
  if (input.result.interrupted) report.paragraph("The run was stopped before its end; --resume continues it.");
  report.heading("Curves");
  if (!history.steps.empty()) add_curves(report, history);
  if (!history.statistics.empty()) add_layers(report, history);
  if (!history.anomalies.empty() || !input.result.notes.empty()) {
    report.heading("Anomalies");
    for (auto& anomaly : history.anomalies) report.paragraph(anomaly);
    for (auto& note : input.result.notes) report.paragraph(note);
  }
  constexpr size_t kSamples = 6;
  if (auto samples = samples_over_time(input.run_path + "/samples.txt", kSamples); !samples.empty()) {
    report.heading("Samples over time");
    for (auto& sample : samples) report.preformatted(sample.text, sample.title);
  }
  report.heading("Configuration");
  report.preformatted(input.config, "config.toml");
  if (!input.memory_plan.empty()) report.preformatted(input.memory_plan, "Memory plan");
  return report.html();
}

}  // namespace llmkit::engine
