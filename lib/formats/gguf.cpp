#include "formats/gguf.h"

#include <cstring>
#include <unordered_set>

#include "base/error.h"

namespace llmkit::formats {
namespace {

enum Type : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

constexpr uint64_t kMaxKeyBytes = 65535;

class Cursor {
 public:
  Cursor(std::string_view bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  [[noreturn]] void fail(std::string expected, std::string found) const {
    throw Error(ErrorParts{"not a GGUF file",
                           std::string(where_) + ", byte " + std::to_string(at_),
                           std::move(expected),
                           std::move(found),
                           {}});
  }
  uint64_t left() const { return bytes_.size() - at_; }
  std::string_view take(uint64_t size) {
    if (size > left())
      fail("at most the " + std::to_string(left()) + " bytes that are left", std::to_string(size) + " bytes");
    auto out = bytes_.substr(at_, size);
    at_ += size;
    return out;
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view string() { return take(number<uint64_t>()); }

 private:
  std::string_view bytes_, where_;
  size_t at_ = 0;
};

uint64_t size_of(uint32_t type) {
  switch (type) {
    case u8:
    case i8:
    case boolean:
      return 1;
    case u16:
    case i16:
      return 2;
    case u32:
    case i32:
    case f32:
      return 4;
    case text:
    case u64:
    case i64:
    case f64:
      return 8;
    default:
      return 0;
  }
}

int64_t read_integer(Cursor& in, uint32_t type) {
  switch (type) {
    case u8:
    case boolean:
      return in.number<uint8_t>();
    case i8:
      return in.number<int8_t>();
    case u16:
      return in.number<uint16_t>();
    case i16:
      return in.number<int16_t>();
    case u32:
      return in.number<uint32_t>();
    case i32:
      return in.number<int32_t>();
    default:
      return in.number<int64_t>();
  }
}

GgufValue::Value read_array(Cursor& in) {
  auto type = in.number<uint32_t>();
  auto count = in.number<uint64_t>();
  uint64_t each = size_of(type);
  if (each == 0) in.fail("an array of numbers or strings", "type " + std::to_string(type));
  if (count > in.left() / each)
    in.fail("an array that fits the " + std::to_string(in.left()) + " bytes that are left",
            std::to_string(count) + " elements");
  if (type == text) {
    std::vector<std::string> out;
    for (uint64_t i = 0; i < count; ++i) out.emplace_back(in.string());
    return out;
  }
  if (type == f32 || type == f64) {
    std::vector<double> out;
    out.reserve(count);
    for (uint64_t i = 0; i < count; ++i)
      out.push_back(type == f32 ? static_cast<double>(in.number<float>()) : in.number<double>());
    return out;
  }
  std::vector<int64_t> out;
  out.reserve(count);
  for (uint64_t i = 0; i < count; ++i) out.push_back(read_integer(in, type));
  return out;
}

GgufValue::Value read_value(Cursor& in, uint32_t type) {
  switch (type) {
    case f32:
      return static_cast<double>(in.number<float>());
    case f64:
      return in.number<double>();
    case boolean:
      return in.number<uint8_t>() != 0;
    case text:
      return std::string(in.string());
    case array:
      return read_array(in);
    case u64:
      return in.number<uint64_t>();
    default:
      if (size_of(type) == 0) in.fail("a value type up to 12", std::to_string(type));
      return read_integer(in, type);
  }
}

template <class T>
const T* get(const GgufMetadata& m, std::string_view key, std::string_view expected) {
  const GgufValue* found = m.find(key);
  if (!found) return nullptr;
  if (auto* value = std::get_if<T>(&found->value)) return value;
  throw Error(
      ErrorParts{"a GGUF value has another type", m.where + ": " + std::string(key), std::string(expected), {}, {}});
}

}  // namespace

const GgufValue* GgufMetadata::find(std::string_view key) const {
  for (auto& [name, value] : entries)
    if (name == key) return &value;
  return nullptr;
}

std::optional<std::string> GgufMetadata::text(std::string_view key) const {
  auto* value = get<std::string>(*this, key, "a string");
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<int64_t> GgufMetadata::integer(std::string_view key) const {
  const GgufValue* found = find(key);
  if (found && std::holds_alternative<uint64_t>(found->value)) {
    uint64_t value = std::get<uint64_t>(found->value);
    if (value <= INT64_MAX) return static_cast<int64_t>(value);
  }
  auto* value = get<int64_t>(*this, key, "an integer");
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<bool> GgufMetadata::boolean(std::string_view key) const {
  auto* value = get<bool>(*this, key, "true or false");
  return value ? std::optional(*value) : std::nullopt;
}

const std::vector<std::string>* GgufMetadata::texts(std::string_view key) const {
  return get<std::vector<std::string>>(*this, key, "an array of strings");
}
const std::vector<int64_t>* GgufMetadata::integers(std::string_view key) const {
  return get<std::vector<int64_t>>(*this, key, "an array of integers");
}
const std::vector<double>* GgufMetadata::reals(std::string_view key) const {
  return get<std::vector<double>>(*this, key, "an array of real numbers");
}

GgufMetadata parse_gguf_metadata(std::string_view bytes, std::string_view where) {
  Cursor in(bytes, where);
  if (bytes.size() < 24 || in.take(4) != "GGUF") in.fail("the letters GGUF and a header of 24 bytes", "something else");
  auto version = in.number<uint32_t>();
  if (version < 2 || version > 3) in.fail("version 2 or 3, little endian", std::to_string(version));
  in.number<uint64_t>();  // tensors
  auto count = in.number<uint64_t>();
  if (count > in.left() / 13)
    in.fail("values that fit the " + std::to_string(in.left()) + " bytes that are left",
            std::to_string(count) + " values");
  GgufMetadata out;
  out.where = where;
  std::unordered_set<std::string> keys;
  for (uint64_t i = 0; i < count; ++i) {
    auto size = in.number<uint64_t>();
    if (size == 0 || size > kMaxKeyBytes) in.fail("a key of 1 to 65535 bytes", std::to_string(size) + " bytes");
    std::string key(in.take(size));
    if (!keys.insert(key).second) in.fail("distinct keys", "'" + key + "' twice");
    auto type = in.number<uint32_t>();
    out.entries.emplace_back(std::move(key), GgufValue{read_value(in, type)});
  }
  return out;
}

std::string write_gguf_metadata(const GgufMetadata& metadata) {
  std::string out = "GGUF";
  auto number = [&](auto value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); };
  auto string = [&](std::string_view s) {
    number(uint64_t{s.size()});
    out += s;
  };
  auto begin_array = [&](Type type, size_t count) {
    number(uint32_t{array});
    number(uint32_t{type});
    number(uint64_t{count});
  };
  number(uint32_t{3});
  number(uint64_t{0});
  number(uint64_t{metadata.entries.size()});
  for (auto& [key, entry] : metadata.entries) {
    string(key);
    std::visit(
        [&](const auto& v) {
          using T = std::decay_t<decltype(v)>;
          if constexpr (std::is_same_v<T, bool>) {
            number(uint32_t{boolean});
            number(uint8_t{v});
          } else if constexpr (std::is_integral_v<T>) {
            number(uint32_t{u32});
            number(static_cast<uint32_t>(v));
          } else if constexpr (std::is_same_v<T, double>) {
            number(uint32_t{f32});
            number(static_cast<float>(v));
          } else if constexpr (std::is_same_v<T, std::string>) {
            number(uint32_t{text});
            string(v);
          } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
            begin_array(text, v.size());
            for (auto& s : v) string(s);
          } else if constexpr (std::is_same_v<T, std::vector<int64_t>>) {
            begin_array(i32, v.size());
            for (int64_t i : v) number(static_cast<int32_t>(i));
          } else {
            begin_array(f32, v.size());
            for (double d : v) number(static_cast<float>(d));
          }
        },
        entry.value);
  }
  return out;
}

}  // namespace llmkit::formats
