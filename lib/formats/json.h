// JSON as a tree of values: for config.json, tokenizer.json, indexes and headers. Documents by the million go through
// jsonl.h instead. Parsing is simdjson's (Langdale and Lemire, "Parsing gigabytes of JSON per second", 2019), strict
// RFC 8259: UTF-8 only, no NaN, no comments, no trailing commas, integers must fit 64 bits.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace llmkit::formats {

class Json;
using JsonArray = std::vector<Json>;

// Members in the order of the file. `where` names the object in error messages ("config.json: rope_scaling").
struct JsonObject {
  std::vector<std::pair<std::string, Json>> members;
  std::vector<uint32_t> by_key;  // member indexes sorted by key, where there are many members
  std::string where;
};

class Json {
 public:
  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(int64_t{value}) {}
  Json(int64_t value) : value_(value) {}
  Json(uint64_t value);
  Json(double value) : value_(value) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(JsonArray value) : value_(std::move(value)) {}
  Json(JsonObject value) : value_(std::move(value)) {}
  static Json object() { return Json(JsonObject{}); }
  static Json array() { return Json(JsonArray{}); }

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const {
    return std::holds_alternative<int64_t>(value_) || std::holds_alternative<uint64_t>(value_);
  }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<JsonArray>(value_); }
  bool is_object() const { return std::holds_alternative<JsonObject>(value_); }
  std::string_view type_name() const;  // "integer", "string", …

  // The value, or an Error "WHERE: expected integer, found string". as_int takes 3 but not 3.0; as_real takes both.
  bool as_bool(std::string_view where = {}) const;
  int64_t as_int(std::string_view where = {}) const;
  uint64_t as_uint(std::string_view where = {}) const;
  double as_real(std::string_view where = {}) const;
  const std::string& as_string(std::string_view where = {}) const;
  const JsonArray& as_array(std::string_view where = {}) const;
  const JsonObject& as_object(std::string_view where = {}) const;
  JsonArray& as_array(std::string_view where = {});

  // Objects. A missing key is an Error that names it ("config.json: hidden_size: missing"); with a default it is not,
  // and null counts as missing then. A key that is there with another type always is an Error.
  bool has(std::string_view key) const { return find(key) != nullptr; }
  const Json* find(std::string_view key) const;  // nullptr where absent or where this is no object
  const Json& at(std::string_view key) const;
  bool get_bool(std::string_view key, std::optional<bool> fallback = {}) const;
  int64_t get_int(std::string_view key, std::optional<int64_t> fallback = {}) const;
  double get_real(std::string_view key, std::optional<double> fallback = {}) const;
  std::string get_string(std::string_view key, std::optional<std::string> fallback = {}) const;
  const JsonArray& get_array(std::string_view key) const;
  std::string path(std::string_view key) const;  // "config.json: rope_scaling.KEY", for messages of one's own

  // Arrays and objects.
  size_t size() const;  // elements or members; 0 for everything else

  void set(std::string_view key, Json value);  // adds, or replaces in place; this must be an object
  void push_back(Json value) { as_array().push_back(std::move(value)); }

 private:
  const Json* get(std::string_view key, bool optional) const;
  std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string, JsonArray, JsonObject> value_ = nullptr;
};

struct JsonOptions {
  int max_depth = 256;
  bool refuse_duplicate_keys = false;  // else the last one counts, as in Python
};

// `where` (a file name) starts every message. Throws Error.
Json parse_json(std::string_view text, std::string_view where, const JsonOptions& options = {});
Json load_json(const std::string& path, uint64_t max_bytes = uint64_t{1} << 30);  // a file, also .gz and .zst

// One line (indent 0) or one member a line, indented. Real numbers are the shortest that read back equal and keep a
// ".0"; NaN and infinities become null.
std::string write_json(const Json& value, int indent = 0);

// Appends `text` as a JSON string with quotes. Bytes that are no UTF-8 become U+FFFD, so that the output is always
// valid.
void append_json_string(std::string& out, std::string_view text);
bool is_valid_utf8(std::string_view text);

}  // namespace llmkit::formats
