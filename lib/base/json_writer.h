// Writes JSON by appending to a string. Numbers are the shortest text that reads back as the same value; NaN and
// infinities, which JSON does not have, become null.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace llmkit {

// `text` with quotes and escapes; bytes that are not UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);
void append_json_quoted(std::string& out, std::string_view text);
void append_json_escaped(std::string& out, std::string_view text);  // no quotes; `text` is known to be UTF-8

class JsonWriter {
 public:
  // `indent` 0 writes one line.
  explicit JsonWriter(std::string& out, int indent = 0) : out_(out), indent_(indent) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);
  JsonWriter& null() { return raw("null"); }
  JsonWriter& raw(std::string_view json);  // already JSON

  template <class T>
  requires std::integral<T> JsonWriter& value(T v) {
    if constexpr (std::same_as<T, bool>)
      return raw(v ? "true" : "false");
    else if constexpr (std::signed_integral<T>)
      return raw(std::to_string(static_cast<int64_t>(v)));
    else
      return raw(std::to_string(static_cast<uint64_t>(v)));
  }
  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  void newline();

  std::string& out_;
  int indent_;
  int depth_ = 0;
  bool first_ = true;  // nothing written yet in the open container
  bool after_key_ = false;
};

}  // namespace llmkit
