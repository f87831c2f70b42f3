#include "engine/metrics.h"

#include <map>

#include "base/json_writer.h"
#include "formats/json.h"
#include "io/input.h"
#include "io/line_reader.h"

namespace llmkit::engine {

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
  while (reader.next(text))
    if (!text.empty()) line(parse_json(text, path));
}

double number(const Json& object, std::string_view key) {  // null: a NaN was logged
  return object.has(key) && !object.at(key).is_null() ? object.at(key).number() : 0;
}

}  // namespace

RunHistory read_history(const std::string& metrics_path, const std::string& timings_path) {
  RunHistory history;
  for_lines(metrics_path, [&](const Json& object) {
    int64_t step = object.at("step").integer();
    if (object.has("anomaly")) {
      history.anomalies.push_back("step " + std::to_string(step) + ": " + object.at("anomaly").text());
    } else if (object.has("loss")) {
      history.steps.push_back({step, number(object, "loss"), number(object, "learning_rate"),
                               number(object, "gradient_norm"), object.at("tokens").integer()});
    } else {
      RunHistory::Validation validation{step, {}};
      for (auto& [key, value] : object.members())
        if (key != "step" && !value.is_null()) validation.values.push_back({std::string(key), value.number()});
      history.validations.push_back(std::move(validation));
    }
  });
  std::map<int64_t, TimingRecord> last;
  for_lines(timings_path, [&](const Json& object) {
    int64_t step = object.at("step").integer();
    last[step] = {step, number(object, "seconds"), number(object, "update_seconds"), number(object, "tokens_per_second"),
                  number(object, "mfu")};
  });
  for (auto& [step, record] : last) history.timings.push_back(record);
  return history;
}

}  // namespace llmkit::engine
