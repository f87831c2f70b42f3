// Writing JSON strings: runs that need no escape are copied as they are, found eight bytes at a time.
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/json_writer.h"
#include "base/utf8.h"

namespace llmkit {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

// A nonzero high bit in every byte of `word` that is below 0x20, '"' or '\\' (Mycroft's zero-byte test, "Bit Twiddling
// Hacks"); a byte above one that matches may be marked too, so only the lowest mark is exact, which is the one used.
uint64_t must_escape(uint64_t word) {
  auto zero_bytes = [](uint64_t w) { return (w - kOnes) & ~w & kHighs; };
  uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
  return below_space | zero_bytes(word ^ kOnes * '"') | zero_bytes(word ^ kOnes * '\\');
}

size_t plain_run(std::string_view text, size_t from) {
  size_t i = from;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    if (uint64_t marks = must_escape(word)) return i + static_cast<size_t>(std::countr_zero(marks)) / 8;
  }
  for (; i < text.size(); ++i) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\') break;
  }
  return i;
}

void append_escape(std::string& out, unsigned char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
      break;
    default: {
      char code[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
      out.append(code, sizeof code);
    }
  }
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    size_t end = plain_run(text, i);
    out.append(text, i, end - i);
    i = end;
    if (i < text.size()) append_escape(out, static_cast<unsigned char>(text[i++]));
  }
}

void append_json_quoted(std::string& out, std::string_view text) {
  out += '"';
  size_t start = 0;  // of the well-formed run not yet written
  for (size_t i = 0; i < text.size();) {
    if (size_t length = utf8_sequence_length(text.substr(i))) {
      i += length;
      continue;
    }
    append_json_escaped(out, text.substr(start, i - start));
    out += "\xEF\xBF\xBD";
    start = ++i;
  }
  append_json_escaped(out, text.substr(start));
  out += '"';
}

std::string json_quote(std::string_view text) {
  std::string out;
  append_json_quoted(out, text);
  return out;
}

}  // namespace llmkit
