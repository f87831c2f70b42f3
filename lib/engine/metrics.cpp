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
    } else if (object.has("loss")) {  // null where it was NaN
      history.steps.push_back({step, object.get_real("loss", 0.0), object.get_real("learning_rate", 0.0),
                               object.get_real("gradient_norm", 0.0), object.get_int("tokens")});
    } else {
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
