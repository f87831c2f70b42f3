#include "engine/fit_state.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "base/json_writer.h"
#include "formats/json.h"
#include "formats/safetensors.h"

namespace llmkit::engine {
namespace {

using formats::Json;

constexpr int64_t kFormat = 2;

void write_numbers(JsonWriter& json, std::string_view name, const std::vector<double>& numbers) {
  json.key(name).begin_array();
  for (double n : numbers) json.value(n);
  json.end_array();
}

std::vector<double> read_numbers(const Json& list) {
  std::vector<double> numbers;
  for (auto& n : list.as_array()) numbers.push_back(n.as_real());
  return numbers;
}

}  // namespace

std::string write_state(const FitState& state) {
  std::string text;
  JsonWriter json(text, 1);
  json.begin_object().member("format", kFormat).member("step", state.step).member("data_step", state.data_step);
  json.member("tokens", state.tokens);
  json.member("loss", state.loss).member("metrics_bytes", state.logs.metrics);
  json.member("samples_bytes", state.logs.samples).member("events_bytes", state.logs.events);
  json.key("validation").begin_object();
  for (auto& v : state.validation) json.member(v.name, v.value);
  json.end_object();
  json.key("anomaly").begin_object();
  json.member("consecutive", state.anomaly.consecutive).member("total", state.anomaly.total);
  write_numbers(json, "losses", state.anomaly.losses);
  write_numbers(json, "norms", state.anomaly.norms);
  json.end_object();
  json.key("rewinds").begin_array();
  for (auto& r : state.rewinds) {
    json.begin_object().member("from_step", r.from_step).member("to_step", r.to_step);
    json.member("first_data", r.first_data).member("last_data", r.last_data).member("reason", r.reason).end_object();
  }
  json.end_array();
  json.key("loss_scale")
      .begin_object()
      .member("scale", state.loss_scale.scale)
      .member("good_steps", state.loss_scale.good_steps)
      .end_object();
  json.key("identity").begin_object();
  for (auto& [name, value] : state.identity) json.member(name, value);
  json.end_object().end_object();
  return text + "\n";
}

FitState read_state(const std::string& text, const std::string& where) {
  Json json = formats::parse_json(text, where);
  if (json.get_int("format") != kFormat)
    throw Error(ErrorParts{"checkpoint of another format", where, std::to_string(kFormat),
                           std::to_string(json.get_int("format")), "it was written by another version"});
  FitState state;
  state.step = json.get_int("step");
  state.data_step = json.get_int("data_step");
  state.tokens = json.get_int("tokens");
  state.loss = json.get_real("loss", 0.0);  // null: the last step was a NaN
  state.logs = {json.get_int("metrics_bytes"), json.get_int("samples_bytes"), json.get_int("events_bytes")};
  for (auto& [name, value] : json.at("validation").as_object().members)
    if (!value.is_null()) state.validation.push_back({name, value.as_real()});
  const Json& anomaly = json.at("anomaly");
  state.anomaly = {read_numbers(anomaly.at("losses")), read_numbers(anomaly.at("norms")),
                   anomaly.get_int("consecutive"), anomaly.get_int("total")};
  for (auto& r : json.get_array("rewinds"))
    state.rewinds.push_back({r.get_int("from_step"), r.get_int("to_step"), r.get_int("first_data"),
                             r.get_int("last_data"), r.get_string("reason")});
  state.loss_scale = {json.at("loss_scale").get_real("scale"), json.at("loss_scale").get_int("good_steps")};
  for (auto& [name, value] : json.at("identity").as_object().members)
    state.identity.emplace_back(name, value.as_string());
  return state;
}

void expect_same_run(const FitState& saved, const std::vector<std::pair<std::string, std::string>>& now) {
  for (auto& entry : now) {
    auto found =
        std::find_if(saved.identity.begin(), saved.identity.end(), [&](auto& s) { return s.first == entry.first; });
    std::string before = found == saved.identity.end() ? "nothing" : found->second;
    if (before != entry.second)
      throw UsageError(ErrorParts{
          "cannot resume with another " + entry.first, {}, before, entry.second, "--force starts a new run instead"});
  }
}

namespace {

using formats::TensorToWrite;

std::vector<int64_t> dims(const Shape& shape) {
  std::vector<int64_t> out;
  for (int i = 0; i < shape.rank(); ++i) out.push_back(shape[i]);
  return out;
}

// Which parameters have numbers in a block.
using Held = std::function<bool(const nn::Parameter&)>;
const Held kAll = [](const nn::Parameter&) { return true; };

// One tensor per parameter out of a flat block laid out as the store's values; padding is left out.
template <class T>
void add_block(std::vector<TensorToWrite>& out, const std::string& prefix, std::span<const T> block,
               const nn::ParameterStore& parameters, const Held& held) {
  auto dtype = std::is_same_v<T, float> ? formats::DType::f32 : formats::DType::f64;
  for (auto& p : parameters.list())
    if (held(p))
      out.push_back({prefix + p.name, dtype, dims(p.shape),
                     std::as_bytes(block.subspan(static_cast<size_t>(p.offset), static_cast<size_t>(p.size())))});
}

template <class T>
void read_block(const formats::SafetensorsFile& file, const std::string& path, const std::string& prefix,
                std::span<T> block, const nn::ParameterStore& parameters, const Held& held) {
  for (auto& p : parameters.list()) {
    if (!held(p)) continue;
    const formats::TensorView* tensor = file.find(prefix + p.name);
    auto target = std::as_writable_bytes(block.subspan(static_cast<size_t>(p.offset), static_cast<size_t>(p.size())));
    if (!tensor) throw Error(ErrorParts{"tensor missing", path, prefix + p.name, {}, {}});
    if (tensor->data.size() != target.size() || tensor->shape != dims(p.shape))
      throw Error(ErrorParts{"tensor of another shape or type", path + ": " + prefix + p.name, p.shape.text(), {}, {}});
    std::memcpy(target.data(), tensor->data.data(), target.size());
  }
}

}  // namespace

void save_optimizer(const std::string& path, optim::Optimizer& optimizer, const nn::ParameterStore& parameters) {
  std::vector<TensorToWrite> tensors;
  auto slots = optimizer.slots();
  dispatch(parameters.dtype(), [&]<class T>() {
    for (size_t i = 0; i < slots.size(); ++i)
      add_block<T>(tensors, std::string(slots[i]) + ".", optimizer.state<T>(i), parameters,
                   [&](auto& p) { return optimizer.holds(i, p); });
  });
  formats::write_safetensors(path, tensors);
}

void load_optimizer(const std::string& path, optim::Optimizer& optimizer, const nn::ParameterStore& parameters) {
  auto file = formats::SafetensorsFile::open(path);
  auto slots = optimizer.slots();
  dispatch(parameters.dtype(), [&]<class T>() {
    for (size_t i = 0; i < slots.size(); ++i)
      read_block<T>(file, path, std::string(slots[i]) + ".", optimizer.state<T>(i), parameters,
                    [&](auto& p) { return optimizer.holds(i, p); });
  });
}

void save_values(const std::string& path, nn::ParameterStore& parameters) {
  std::vector<TensorToWrite> tensors;
  dispatch(parameters.dtype(), [&]<class T>() { add_block<T>(tensors, "", parameters.values<T>(), parameters, kAll); });
  formats::write_safetensors(path, tensors);
}

void load_values(const std::string& path, nn::ParameterStore& parameters) {
  auto file = formats::SafetensorsFile::open(path);
  dispatch(parameters.dtype(),
           [&]<class T>() { read_block<T>(file, path, "", parameters.values<T>(), parameters, kAll); });
  parameters.values_changed();
}

}  // namespace llmkit::engine
