#include "workflows/project_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/report.h"
#include "base/units.h"
#include "engine/metrics.h"
#include "formats/json.h"
#include "io/files.h"

namespace llmkit::workflows {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 4;
constexpr uint64_t kMaxShownText = 64 << 10;

// Files below the folder by their role; hidden folders and checkpoints are passed over.
struct Found {
  std::vector<std::string> manifests, metrics, results, texts;
};

Found find_files(const std::string& folder) {
  std::vector<std::string> files;
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::recursive_directory_iterator(); ++it) {
    std::string name = it->path().filename().string();
    if (it->is_directory()) {
      if (name.starts_with('.') || name == "checkpoints" || it.depth() >= kMaxDepth) it.disable_recursion_pending();
    } else {
      files.push_back(it->path().string());
    }
  }
  std::sort(files.begin(), files.end());
  Found found;
  for (auto& file : files) {
    fs::path path(file);
    std::string name = path.filename().string();
    if (path.extension() == ".json" && path.parent_path().filename() == "manifests")
      found.manifests.push_back(file);
    else if (name == "metrics.jsonl")
      found.metrics.push_back(file);
    else if (name == "results.json")
      found.results.push_back(file);
    else if (name.starts_with("generated") && path.extension() == ".txt")
      found.texts.push_back(file);
  }
  return found;
}

// "run" for "project/run/metrics.jsonl" in project.
std::string label(const std::string& file, const std::string& folder) {
  return fs::relative(fs::path(file).parent_path(), folder).string();
}

void add_stages(Report& report, const Found& found) {
  if (found.manifests.empty()) return;
  std::vector<std::vector<std::string>> rows;
  std::vector<Bar> seconds;
  for (auto& path : found.manifests) {
    formats::Json manifest = formats::load_json(path);
    const formats::Json& summary = manifest.at("summary");
    std::string stage = fs::path(path).stem().string();
    bool counted = summary.get_int("in") + summary.get_int("kept") > 0;  // training counts no records
    auto count = [&](std::string_view key) {
      return counted ? format_count(static_cast<uint64_t>(summary.get_int(key))) : std::string();
    };
    double taken = summary.get_real("seconds");
    rows.push_back({stage, manifest.get_string("command"), counted ? summary.get_string("unit") : std::string(),
                    count("in"), count("kept"), count("dropped"), count("bad"), fmt::format("{:.1f}", taken)});
    seconds.push_back({stage, taken, format_seconds(taken)});
  }
  report.heading("Stages");
  report.table({"stage", "command", "unit", "in", "kept", "dropped", "damaged", "seconds"}, rows);
  report.bar_chart({.title = "Time by stage", .x_label = "seconds", .y_label = "stage"}, seconds);
}

void add_training(Report& report, const Found& found, const std::string& folder) {
  for (auto& path : found.metrics) {
    engine::RunHistory history = engine::read_history(path, fs::path(path).replace_filename("timings.jsonl").string());
    if (history.steps.empty()) continue;
    std::string run = label(path, folder);
    report.heading("Training: " + run);
    Series loss{"training loss", {}, {}}, rate{"learning rate", {}, {}};
    for (auto& s : history.steps) {
      loss.x.push_back(static_cast<double>(s.step));
      loss.y.push_back(s.loss);
      rate.x.push_back(static_cast<double>(s.step));
      rate.y.push_back(s.learning_rate);
    }
    std::vector<Series> curves = {thin_out(loss, 600)};
    std::vector<std::pair<std::string, std::string>> figures = {
        {"steps", format_count(static_cast<uint64_t>(history.steps.back().step))},
        {"tokens", short_number(static_cast<double>(history.steps.back().tokens))}};
    Series validation{"validation loss", {}, {}};
    for (auto& v : history.validations) {
      for (auto& value : v.values) {
        if (value.name != "val_loss") continue;
        validation.x.push_back(static_cast<double>(v.step));
        validation.y.push_back(value.value);
      }
    }
    if (!validation.x.empty()) curves.push_back(validation);
    if (!history.validations.empty())
      for (auto& value : history.validations.back().values)
        figures.emplace_back(value.name, fmt::format("{:.4f}", value.value));
    if (!history.timings.empty())
      figures.emplace_back("tokens/s", short_number(history.timings.back().tokens_per_second));
    report.figures(figures);
    report.line_chart({.title = "Loss (nats per token)", .x_label = "step", .y_label = "loss"}, curves);
    report.line_chart({.title = "Learning rate", .x_label = "step", .y_label = "rate", .from_zero = true},
                      {thin_out(rate, 600)});
    for (auto& anomaly : history.anomalies) report.paragraph(anomaly);
  }
}

// Running mean over about a fiftieth of the run, from its first value on.
Series smooth_loss(const engine::RunHistory& history, const std::string& name) {
  Series out{name, {}, {}};
  double window = std::max(10.0, static_cast<double>(history.steps.size()) / 50), mean = 0, weight = 0;
  for (auto& s : history.steps) {
    if (!std::isfinite(s.loss)) continue;
    mean += (s.loss - mean) / window;
    weight += (1 - weight) / window;
    out.x.push_back(static_cast<double>(s.step));
    out.y.push_back(mean / weight);
  }
  return thin_out(out, 600);
}

// Several runs in one picture, and how the last losses of each compare with the first run's: precisions, recipes,
// seeds.
void compare_training(Report& report, const Found& found, const std::string& folder) {
  constexpr size_t kMost = 8;  // colours
  std::vector<Series> losses, validations;
  std::vector<std::vector<std::string>> rows;
  double first_loss = 0;
  for (auto& path : found.metrics) {
    engine::RunHistory history = engine::read_history(path, fs::path(path).replace_filename("timings.jsonl").string());
    if (history.steps.empty() || losses.size() == kMost) continue;
    losses.push_back(smooth_loss(history, label(path, folder)));
    double loss = losses.back().y.empty() ? std::nan("") : losses.back().y.back();
    if (losses.size() == 1) first_loss = loss;
    Series validation{label(path, folder), {}, {}};
    for (auto& v : history.validations)
      for (auto& value : v.values)
        if (value.name == "val_loss")
          validation.x.push_back(static_cast<double>(v.step)), validation.y.push_back(value.value);
    rows.push_back({label(path, folder), format_count(static_cast<uint64_t>(history.steps.back().step)),
                    fmt::format("{:.4f}", loss), fmt::format("{:+.2f} %", 100 * (loss / first_loss - 1)),
                    validation.y.empty() ? std::string() : fmt::format("{:.4f}", validation.y.back())});
    if (!validation.x.empty()) validations.push_back(std::move(validation));
  }
  if (losses.size() < 2) return;
  report.heading("Training runs side by side");
  report.line_chart({.title = "Training loss, smoothed", .x_label = "step", .y_label = "nats per token"}, losses);
  if (validations.size() > 1)
    report.line_chart({.title = "Validation loss", .x_label = "step", .y_label = "nats per token"}, validations);
  report.table({"run", "steps", "last training loss, smoothed", "against the first", "last validation loss"}, rows);
}

void add_scores(Report& report, const Found& found, const std::string& folder) {
  std::vector<std::vector<std::string>> rows;
  for (auto& path : found.results) {
    formats::Json results = formats::load_json(path);
    for (auto& [task, result] : results.at("tasks").as_object().members) {
      for (auto& [metric, m] : result.at("metrics").as_object().members) {
        rows.push_back({label(path, folder), task, metric, fmt::format("{:.4f}", m.get_real("value")),
                        fmt::format("{:.4f}", m.get_real("stderr")),
                        format_count(static_cast<uint64_t>(m.get_int("items")))});
      }
    }
  }
  if (rows.empty()) return;
  report.heading("Scores");
  report.table({"evaluation", "task", "metric", "value", "standard error", "items"}, rows);
}

}  // namespace

std::string project_report(const std::string& folder) {
  if (!fs::is_directory(folder)) throw Error({"not a folder", folder, "the folder of a project", "", ""});
  Found found = find_files(folder);
  if (found.manifests.empty() && found.metrics.empty() && found.results.empty()) {
    throw Error({"nothing to report on", folder, "manifests/*.json, metrics.jsonl or results.json below it", "none",
                 "run stages with --manifest FOLDER/manifests/NAME.json"});
  }
  Report report("From pages to a model", fs::canonical(folder).filename().string());
  add_stages(report, found);
  compare_training(report, found, folder);
  add_training(report, found, folder);
  add_scores(report, found, folder);
  for (auto& path : found.texts) {
    std::string text = io::read_file(path);
    report.heading("What the model writes");
    report.preformatted(text.substr(0, kMaxShownText), fs::relative(path, folder).string());
  }
  return report.html();
}

}  // namespace llmkit::workflows
