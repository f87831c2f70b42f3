// The wire format of protocol buffers (developers.google.com/protocol-buffers/docs/encoding), as much as SentencePiece
// models need: read with every length checked against the bytes that are left, and written.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace llmkit::formats {

// One field of a message. Which of the members counts, the schema says.
struct WireField {
  uint32_t number = 0;
  uint64_t integer = 0;    // varint, or the bits of a fixed32 or fixed64
  std::string_view bytes;  // string, bytes, message
  bool is_bytes = false;
  float real() const { return std::bit_cast<float>(static_cast<uint32_t>(integer)); }
};

class WireReader {
 public:
  // `bytes` must outlive the reader and the fields.
  WireReader(std::string_view bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  // The next field; nothing at the end. Throws Error where the bytes are no message.
  std::optional<WireField> next() {
    if (at_ == bytes_.size()) return {};
    uint64_t tag = varint();
    WireField field;
    if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF) fail("a field number from 1 to 536870911", std::to_string(tag >> 3));
    field.number = static_cast<uint32_t>(tag >> 3);
    switch (tag & 7) {
      case 0:
        field.integer = varint();
        break;
      case 1:
        field.integer = fixed(8);
        break;
      case 2: {
        uint64_t size = varint();
        if (size > bytes_.size() - at_)
          fail("at most the " + std::to_string(bytes_.size() - at_) + " bytes that are left",
               std::to_string(size) + " bytes");
        field.bytes = bytes_.substr(at_, size);
        field.is_bytes = true;
        at_ += size;
        break;
      }
      case 5:
        field.integer = fixed(4);
        break;
      default:
        fail("wire type 0, 1, 2 or 5", std::to_string(tag & 7));
    }
    return field;
  }

 private:
  [[noreturn]] void fail(std::string expected, std::string found) const {
    throw Error(ErrorParts{"not a protocol buffer message",
                           std::string(where_) + ", byte " + std::to_string(at_),
                           std::move(expected),
                           std::move(found),
                           {}});
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) fail("a number", "the end");
      auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    fail("a number of at most ten bytes", "a longer one");
  }
  uint64_t fixed(size_t size) {
    if (bytes_.size() - at_ < size) fail(std::to_string(size) + " bytes", "the end");
    uint64_t value = 0;
    std::memcpy(&value, bytes_.data() + at_, size);
    at_ += size;
    return value;
  }

  std::string_view bytes_, where_;
  size_t at_ = 0;
};

class WireWriter {
 public:
  void integer(uint32_t field, uint64_t value) {
    varint(uint64_t{field} << 3);
    varint(value);
  }
  void real(uint32_t field, float value) {
    varint(uint64_t{field} << 3 | 5);
    auto bits = std::bit_cast<uint32_t>(value);
    out_.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  void bytes(uint32_t field, std::string_view value) {
    varint(uint64_t{field} << 3 | 2);
    varint(value.size());
    out_ += value;
  }
  const std::string& str() const { return out_; }

 private:
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }
  std::string out_;
};

}  // namespace llmkit::formats
