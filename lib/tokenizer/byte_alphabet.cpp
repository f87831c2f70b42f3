#include "tokenizer/byte_alphabet.h"

#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {

const std::array<uint16_t, 256>& byte_characters() {
  static const std::array<uint16_t, 256> map = [] {
    std::array<uint16_t, 256> m{};
    uint16_t next = 256;
    for (uint16_t b = 0; b < 256; ++b) {
      bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      m[b] = printable ? b : next++;
    }
    return m;
  }();
  return map;
}

std::string spell_bytes(std::string_view bytes) {
  std::string out;
  for (char byte : bytes) {
    uint16_t c = byte_characters()[static_cast<unsigned char>(byte)];
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else {
      out += static_cast<char>(0xC0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 0x3F));
    }
  }
  return out;
}

std::optional<std::string> unspell_bytes(std::string_view characters) {
  static const std::array<int16_t, 0x144> back = [] {
    std::array<int16_t, 0x144> m;
    m.fill(-1);
    for (int16_t b = 0; b < 256; ++b) m[byte_characters()[static_cast<size_t>(b)]] = b;
    return m;
  }();
  std::string out;
  const char *p = characters.data(), *end = p + characters.size();
  while (p < end) {
    Utf8Char c = decode_utf8(p, end);
    if (c.code_point >= back.size() || back[c.code_point] < 0) return std::nullopt;
    out += static_cast<char>(back[c.code_point]);
    p += c.length;
  }
  return out;
}

}  // namespace llmkit::tokenizer
