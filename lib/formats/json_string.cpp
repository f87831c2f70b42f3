// Writing JSON strings: runs that need no escape are copied as they are, found eight bytes at a time.
#include <bit>
#include <cstring>

#include "formats/json.h"

namespace llmkit::formats {
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

void append_valid(std::string& out, std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    size_t end = plain_run(text, i);
    out.append(text, i, end - i);
    i = end;
    if (i < text.size()) append_escape(out, static_cast<unsigned char>(text[i++]));
  }
}

// Length of the well-formed sequence at `at` (Unicode 15, table 3-7), or 0.
size_t sequence_length(std::string_view s, size_t at) {
  auto byte = [&](size_t i) { return at + i < s.size() ? static_cast<unsigned char>(s[at + i]) : 0u; };
  auto tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  unsigned c = byte(0), d = byte(1);
  if (c < 0x80) return 1;
  if (c >= 0xC2 && c <= 0xDF) return tail(1) ? 2 : 0;
  if (c >= 0xE0 && c <= 0xEF) {
    bool second = c == 0xE0 ? d >= 0xA0 && d <= 0xBF : c == 0xED ? d >= 0x80 && d <= 0x9F : tail(1);
    return second && tail(2) ? 3 : 0;
  }
  if (c >= 0xF0 && c <= 0xF4) {
    bool second = c == 0xF0 ? d >= 0x90 && d <= 0xBF : c == 0xF4 ? d >= 0x80 && d <= 0x8F : tail(1);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  if (is_valid_utf8(text)) {
    append_valid(out, text);
  } else {
    size_t start = 0, i = 0;
    while (i < text.size()) {
      if (size_t length = sequence_length(text, i)) {
        i += length;
        continue;
      }
      append_valid(out, text.substr(start, i - start));
      out += "\xEF\xBF\xBD";
      start = ++i;
    }
    append_valid(out, text.substr(start));
  }
  out += '"';
}

}  // namespace llmkit::formats
