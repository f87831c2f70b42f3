#include "formats/event_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/utf8.h"

namespace llmkit::formats {
namespace {

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0u);
    table[i] = crc;
  }
  return table;
}();

template <class T>
void put_fixed(std::string& out, T value) {
  static_assert(std::endian::native == std::endian::little);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

// Protocol buffers: a field is its number and wire type, then a varint, 4 or 8 bytes, or a length and bytes.
enum Wire : uint32_t { kVarint = 0, kEightBytes = 1, kBytes = 2, kFourBytes = 5 };

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
void put_key(std::string& out, uint32_t field, Wire wire) {
  put_varint(out, field << 3 | wire);
}
void put_number(std::string& out, uint32_t field, uint64_t value) {
  put_key(out, field, kVarint);
  put_varint(out, value);
}
void put_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

// Event: 1 wall_time, 2 step, 3 file_version, 5 summary.
std::string event(double wall_time, int64_t step) {
  std::string out;
  put_key(out, 1, kEightBytes);
  put_fixed(out, wall_time);
  if (step != 0) put_number(out, 2, static_cast<uint64_t>(step));
  return out;
}

std::string record(std::string_view payload) {
  auto masked = [](std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u; };
  std::string out;
  put_fixed(out, static_cast<uint64_t>(payload.size()));
  put_fixed(out, masked(out));
  out += payload;
  put_fixed(out, masked(payload));
  return out;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (unsigned char byte : bytes) crc = (crc >> 8) ^ kCrcTable[(crc ^ byte) & 0xFF];
  return ~crc;
}

std::string event_file_start(double wall_time) {
  std::string payload = event(wall_time, 0);
  put_bytes(payload, 3, "brain.Event:2");
  return record(payload);
}

// Summary: 1 value; Value: 1 tag, 2 simple_value, 8 tensor, 9 metadata.
std::string scalar_event(double wall_time, int64_t step, std::span<const EventScalar> scalars) {
  std::string summary, payload = event(wall_time, step);
  for (auto& scalar : scalars) {
    std::string value;
    put_bytes(value, 1, scalar.tag);
    put_key(value, 2, kFourBytes);
    put_fixed(value, static_cast<float>(scalar.value));
    put_bytes(summary, 1, value);
  }
  put_bytes(payload, 5, summary);
  return record(payload);
}

namespace {

// Bytes that are no UTF-8 would make TensorBoard refuse the whole text.
std::string readable(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t n = utf8_sequence_length(text.substr(i));
    if (n == 0)
      out += "\xEF\xBF\xBD";
    else
      out.append(text, i, n);
    i += std::max<size_t>(n, 1);
  }
  return out;
}

}  // namespace

// A text is a tensor of one string whose metadata names the text plugin.
std::string text_event(double wall_time, int64_t step, std::string_view tag, std::string_view text) {
  constexpr uint64_t kString = 7;  // DataType DT_STRING
  std::string plugin, metadata, tensor, dimension, shape, value, summary, payload = event(wall_time, step);
  put_bytes(plugin, 1, "text");
  put_bytes(metadata, 1, plugin);
  put_number(dimension, 1, 1);
  put_bytes(shape, 2, dimension);
  put_number(tensor, 1, kString);
  put_bytes(tensor, 2, shape);
  put_bytes(tensor, 8, readable(text));
  put_bytes(value, 1, tag);
  put_bytes(value, 8, tensor);
  put_bytes(value, 9, metadata);
  put_bytes(summary, 1, value);
  put_bytes(payload, 5, summary);
  return record(payload);
}

}  // namespace llmkit::formats
