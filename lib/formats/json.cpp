#include "formats/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace llmkit::formats {
namespace {

[[noreturn]] void throw_type(std::string_view where, std::string_view expected, const Json& found) {
  std::string shown(found.type_name());
  if (found.is_string()) shown += " \"" + printable(found.as_string(), 40) + "\"";
  throw Error({"wrong type", std::string(where), std::string(expected), shown, {}});
}

}  // namespace

Json::Json(uint64_t value) {
  if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    value_ = static_cast<int64_t>(value);
  } else {
    value_ = value;
  }
}

std::string_view Json::type_name() const {
  static constexpr std::string_view kNames[] = {"null",   "boolean", "integer", "integer",
                                                "number", "string",  "array",   "object"};
  return kNames[value_.index()];
}

bool Json::as_bool(std::string_view where) const {
  if (auto* v = std::get_if<bool>(&value_)) return *v;
  throw_type(where, "true or false", *this);
}

int64_t Json::as_int(std::string_view where) const {
  if (auto* v = std::get_if<int64_t>(&value_)) return *v;
  throw_type(where, std::holds_alternative<uint64_t>(value_) ? "an integer below 2^63" : "integer", *this);
}

uint64_t Json::as_uint(std::string_view where) const {
  if (auto* v = std::get_if<uint64_t>(&value_)) return *v;
  if (auto* v = std::get_if<int64_t>(&value_); v && *v >= 0) return static_cast<uint64_t>(*v);
  throw_type(where, "an integer of at least 0", *this);
}

double Json::as_real(std::string_view where) const {
  if (auto* v = std::get_if<double>(&value_)) return *v;
  if (auto* v = std::get_if<int64_t>(&value_)) return static_cast<double>(*v);
  if (auto* v = std::get_if<uint64_t>(&value_)) return static_cast<double>(*v);
  throw_type(where, "number", *this);
}

const std::string& Json::as_string(std::string_view where) const {
  if (auto* v = std::get_if<std::string>(&value_)) return *v;
  throw_type(where, "string", *this);
}

const JsonArray& Json::as_array(std::string_view where) const {
  if (auto* v = std::get_if<JsonArray>(&value_)) return *v;
  throw_type(where, "array", *this);
}

JsonArray& Json::as_array(std::string_view where) {
  if (auto* v = std::get_if<JsonArray>(&value_)) return *v;
  throw_type(where, "array", *this);
}

const JsonObject& Json::as_object(std::string_view where) const {
  if (auto* v = std::get_if<JsonObject>(&value_)) return *v;
  throw_type(where, "object", *this);
}

const Json* Json::find(std::string_view key) const {
  auto* object = std::get_if<JsonObject>(&value_);
  if (!object) return nullptr;
  auto& members = object->members;
  if (object->by_key.size() == members.size() && !members.empty()) {
    auto at = std::lower_bound(object->by_key.begin(), object->by_key.end(), key,
                               [&](uint32_t i, std::string_view k) { return members[i].first < k; });
    return at != object->by_key.end() && members[*at].first == key ? &members[*at].second : nullptr;
  }
  for (auto& [name, value] : members)
    if (name == key) return &value;
  return nullptr;
}

std::string Json::path(std::string_view key) const {
  auto* object = std::get_if<JsonObject>(&value_);
  std::string out = object ? object->where : std::string();
  if (!out.empty()) out += out.find(": ") == std::string::npos ? ": " : ".";
  out += key;
  return out;
}

// The value to read; nullptr where it is absent (or null) and that is allowed.
const Json* Json::get(std::string_view key, bool optional) const {
  const Json* value = find(key);
  if (optional && (!value || value->is_null())) return nullptr;
  if (!value) {
    as_object();
    throw Error({"missing", path(key), {}, {}, {}});
  }
  return value;
}

const Json& Json::at(std::string_view key) const {
  return *get(key, false);
}

bool Json::get_bool(std::string_view key, std::optional<bool> fallback) const {
  const Json* value = get(key, fallback.has_value());
  return value ? value->as_bool(path(key)) : *fallback;
}

int64_t Json::get_int(std::string_view key, std::optional<int64_t> fallback) const {
  const Json* value = get(key, fallback.has_value());
  return value ? value->as_int(path(key)) : *fallback;
}

double Json::get_real(std::string_view key, std::optional<double> fallback) const {
  const Json* value = get(key, fallback.has_value());
  return value ? value->as_real(path(key)) : *fallback;
}

std::string Json::get_string(std::string_view key, std::optional<std::string> fallback) const {
  const Json* value = get(key, fallback.has_value());
  return value ? value->as_string(path(key)) : *std::move(fallback);
}

const JsonArray& Json::get_array(std::string_view key) const {
  return at(key).as_array(path(key));
}

size_t Json::size() const {
  if (auto* array = std::get_if<JsonArray>(&value_)) return array->size();
  if (auto* object = std::get_if<JsonObject>(&value_)) return object->members.size();
  return 0;
}

void Json::set(std::string_view key, Json value) {
  if (const Json* old = find(key)) {
    *const_cast<Json*>(old) = std::move(value);
    return;
  }
  if (!is_object()) throw_type({}, "object", *this);
  auto& object = std::get<JsonObject>(value_);
  object.by_key.clear();
  object.members.emplace_back(std::string(key), std::move(value));
}

namespace {

void write_value(std::string& out, const Json& value, int indent, int level);

void new_line(std::string& out, int indent, int level) {
  if (indent == 0) return;
  out += '\n';
  out.append(static_cast<size_t>(indent) * static_cast<size_t>(level), ' ');
}

void write_real(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char digits[32];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  std::string_view written(digits, static_cast<size_t>(end - digits));
  out += written;
  if (written.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void write_value(std::string& out, const Json& value, int indent, int level) {
  std::string_view comma = indent ? "," : ", ";
  if (value.is_object()) {
    out += '{';
    bool first = true;
    for (auto& [key, member] : value.as_object().members) {
      if (!std::exchange(first, false)) out += comma;
      new_line(out, indent, level + 1);
      append_json_string(out, key);
      out += ": ";
      write_value(out, member, indent, level + 1);
    }
    if (!first) new_line(out, indent, level);
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    bool first = true;
    for (auto& element : value.as_array()) {
      if (!std::exchange(first, false)) out += comma;
      new_line(out, indent, level + 1);
      write_value(out, element, indent, level + 1);
    }
    if (!first) new_line(out, indent, level);
    out += ']';
  } else if (value.is_string()) {
    append_json_string(out, value.as_string());
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_null()) {
    out += "null";
  } else if (!value.is_integer()) {
    write_real(out, value.as_real());
  } else {
    double as_real = value.as_real();
    out += as_real < 0 ? std::to_string(value.as_int()) : std::to_string(value.as_uint());
  }
}

}  // namespace

std::string write_json(const Json& value, int indent) {
  std::string out;
  write_value(out, value, indent, 0);
  if (indent) out += '\n';
  return out;
}

}  // namespace llmkit::formats
