#include "text/utf8.h"

#include <cstring>

namespace llmkit::text {
namespace {

// One well-formed sequence or one maximal ill-formed part.
struct Step {
  uint8_t bytes;
  bool valid;
};

Step step(const unsigned char* p, size_t left) {
  unsigned char lead = p[0];
  if (lead < 0x80) return {1, true};
  int more;
  unsigned char low = 0x80, high = 0xBF;  // bounds of the second byte: no overlong form, no surrogate, no > U+10FFFF
  if (lead >= 0xC2 && lead <= 0xDF) {
    more = 1;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    more = 2;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    more = 3;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {1, false};
  }
  for (int i = 1; i <= more; ++i) {
    if (static_cast<size_t>(i) >= left || p[i] < low || p[i] > high) return {static_cast<uint8_t>(i), false};
    low = 0x80;
    high = 0xBF;
  }
  return {static_cast<uint8_t>(more + 1), true};
}

size_t skip_ascii(std::string_view text, size_t i) {
  while (i + 8 <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if (word & 0x8080808080808080u) break;
    i += 8;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80) ++i;
  return i;
}

}  // namespace

size_t valid_utf8_prefix(std::string_view text) {
  auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (size_t i = 0;;) {
    i = skip_ascii(text, i);
    if (i == text.size()) return i;
    while (i < text.size() && bytes[i] >= 0x80) {
      Step s = step(bytes + i, text.size() - i);
      if (!s.valid) return i;
      i += s.bytes;
    }
  }
}

bool is_valid_utf8(std::string_view text) {
  return valid_utf8_prefix(text) == text.size();
}

size_t append_repaired(std::string& out, std::string_view text) {
  size_t replaced = 0;
  while (!text.empty()) {
    size_t good = valid_utf8_prefix(text);
    out.append(text.substr(0, good));
    text.remove_prefix(good);
    if (text.empty()) break;
    text.remove_prefix(step(reinterpret_cast<const unsigned char*>(text.data()), text.size()).bytes);
    out += "\xEF\xBF\xBD";
    ++replaced;
  }
  return replaced;
}

std::string repair_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_repaired(out, text);
  return out;
}

size_t encode_utf8(char32_t code, char* out) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = kReplacement;
  if (code < 0x80) {
    out[0] = static_cast<char>(code);
    return 1;
  }
  if (code < 0x800) {
    out[0] = static_cast<char>(0xC0 | code >> 6);
    out[1] = static_cast<char>(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = static_cast<char>(0xE0 | code >> 12);
    out[1] = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out[2] = static_cast<char>(0x80 | (code & 0x3F));
    return 3;
  }
  out[0] = static_cast<char>(0xF0 | code >> 18);
  out[1] = static_cast<char>(0x80 | (code >> 12 & 0x3F));
  out[2] = static_cast<char>(0x80 | (code >> 6 & 0x3F));
  out[3] = static_cast<char>(0x80 | (code & 0x3F));
  return 4;
}

void append_utf8(std::string& out, char32_t code) {
  char bytes[4];
  out.append(bytes, encode_utf8(code, bytes));
}

char32_t decode_utf8(std::string_view text, size_t& position) {
  auto* p = reinterpret_cast<const unsigned char*>(text.data()) + position;
  if (*p < 0x80) {
    ++position;
    return *p;
  }
  Step s = step(p, text.size() - position);
  position += s.bytes;
  if (!s.valid) return kReplacement;
  if (s.bytes == 2) return char32_t(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
  if (s.bytes == 3) return char32_t(p[0] & 0x0F) << 12 | char32_t(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
  return char32_t(p[0] & 0x07) << 18 | char32_t(p[1] & 0x3F) << 12 | char32_t(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
}

size_t count_code_points(std::string_view text) {
  size_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

std::string_view utf8_prefix(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xC0) == 0x80) --max_bytes;
  return text.substr(0, max_bytes);
}

}  // namespace llmkit::text
