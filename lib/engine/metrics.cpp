#include "engine/metrics.h"

#include <map>

#include "base/json_writer.h"
#include "formats/json.h"
#include "io/input.h"
#include "io/line_reader.h"

namespace llmkit::engine {

using formats::Json;

std::string step_line(const StepRecord& record) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().key("step").value(record.step).key("loss").value(record.loss);
  json.key("learning_rate").value(record.learning_rate).key("gradient_norm").value(record.gradient_norm);
  json.key("tokens").value(record.tokens).end_object();
  return line + "\n";
}

std::string validation_line(int64_t step, std::span<const NamedValue> values) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().key("step").value(step);
  for (auto& v : values) json.key(v.name).value(v.value);
  json.end_object();
  return line + "\n";
}

std::string anomaly_line(int64_t step, std::string_view reason, bool applied) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().key("step").value(step).key("anomaly").value(reason).key("applied").value(applied).end_object();
  return line + "\n";
}

std::string statistics_line(int64_t step, std::span<const LayerStatistics> layers) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().member("step", step).key("layers").begin_array();
  for (auto& layer : layers) {
    json.begin_object().member("layer", layer.layer).member("weight", layer.weight).member("gradient", layer.gradient);
    if (layer.activation > 0)
      json.member("activation", layer.activation).member("largest_activation", layer.largest_activation);
    json.end_object();
  }
  json.end_array().end_object();
  return line + "\n";
}

std::string rewind_line(const Rewind& rewind) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().member("step", rewind.to_step).member("rewind", rewind.reason).member("from", rewind.from_step);
  json.key("skipped").begin_array().value(rewind.first_data + 1).value(rewind.last_data + 1).end_array().end_object();
  return line + "\n";
}

std::string overflow_line(int64_t step, double loss_scale, double next_loss_scale) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().key("step").value(step).key("overflow").value(true).key("loss_scale").value(loss_scale);
  json.key("next_loss_scale").value(next_loss_scale).end_object();
  return line + "\n";
}

std::string timing_line(const TimingRecord& record) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().key("step").value(record.step).key("seconds").value(record.seconds);
  json.key("update_seconds").value(record.update_seconds).key("tokens_per_second").value(record.tokens_per_second);
  json.key("mfu").value(record.mfu).end_object();
  return line + "\n";
}

namespace {

template <class Line>
void for_lines(const std::string& path, Line&& line) {
  auto input = io::open_input(path);
  io::LineReader reader(*input);
  std::string_view text;
  while (reader.next(text)) {
    if (text.empty()) continue;
    Json object;
    try {
      object = formats::parse_json(text, path);
    } catch (const Error&) {  // the last line of a process that was killed
      continue;
    }
    line(object);
  }
}

}  // namespace

RunHistory read_history(const std::string& metrics_path, const std::string& timings_path) {
  RunHistory history;
  for_lines(metrics_path, [&](const Json& object) {
    int64_t step = object.get_int("step");
    if (object.has("anomaly")) {
      history.anomalies.push_back("step " + std::to_string(step) + ": " + object.get_string("anomaly"));
    } else if (object.has("layers")) {
      RunHistory::Statistics statistics{step, {}};
      for (auto& layer : object.get_array("layers"))
        statistics.layers.push_back({layer.get_string("layer"), layer.get_real("weight", 0.0),
                                     layer.get_real("gradient", 0.0), layer.get_real("activation", 0.0),
                                     layer.get_real("largest_activation", 0.0)});
      history.statistics.push_back(std::move(statistics));
    } else if (object.has("rewind")) {
      history.anomalies.push_back("step " + std::to_string(object.get_int("from")) + ": " +
                                  object.get_string("rewind") + "; back to step " + std::to_string(step));
    } else if (object.has("loss")) {  // null where it was NaN
      history.steps.push_back({step, object.get_real("loss", 0.0), object.get_real("learning_rate", 0.0),
                               object.get_real("gradient_norm", 0.0), object.get_int("tokens")});
    } else if (!object.has("overflow")) {
      RunHistory::Validation validation{step, {}};
      for (auto& [key, value] : object.as_object().members)
        if (key != "step" && !value.is_null()) validation.values.push_back({key, value.as_real()});
      history.validations.push_back(std::move(validation));
    }
  });
  std::map<int64_t, TimingRecord> last;
  for_lines(timings_path, [&](const Json& object) {
    int64_t step = object.get_int("step");
    last[step] = {step, object.get_real("seconds", 0.0), object.get_real("update_seconds", 0.0),
                  object.get_real("tokens_per_second", 0.0), object.get_real("mfu", 0.0)};
  });
  for (auto& [step, record] : last) history.timings.push_back(record);
  return history;
}

}  // namespace llmkit::engine
