// What the pre-tokenizers need to know of a character, from one pinned Unicode version (16.0.0: that of Hugging Face
// tokenizers 0.23 and tiktoken 0.14), independent of the ICU of the machine, so that ids never change with a library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llmkit::tokenizer {

// General category, coarsened; `space` is the property White_Space, which goes before the category.
enum class CharClass : uint8_t {
  other,        // C*, unassigned, and bytes that are not UTF-8
  space,        // \s
  number,       // \p{N}
  upper,        // Lu, Lt
  lower,        // Ll
  letter,       // Lm, Lo
  mark,         // \p{M}
  punctuation,  // \p{P}
  symbol,       // \p{S}
};

inline bool is_letter(CharClass c) {
  return c >= CharClass::upper && c <= CharClass::letter;
}
inline bool is_number(CharClass c) {
  return c == CharClass::number;
}
inline bool is_space(CharClass c) {
  return c == CharClass::space;
}
// [^\s\p{L}\p{N}]
inline bool is_rest(CharClass c) {
  return c == CharClass::other || c >= CharClass::mark;
}

namespace detail {
extern const uint8_t kBlockOf[];           // block of each 256 code points
extern const uint64_t kClassBlocks[][16];  // the distinct blocks, four bits a code point
}  // namespace detail

inline CharClass class_of(uint32_t code_point) {
  const uint64_t* block = detail::kClassBlocks[detail::kBlockOf[code_point >> 8]];
  return static_cast<CharClass>(block[(code_point >> 4) & 15] >> ((code_point & 15) * 4) & 15);
}

struct Utf8Char {
  uint32_t code_point;  // 0xFFFFFFFF for a byte that starts no well-formed sequence
  uint32_t length;      // bytes; 1 for such a byte
};

// The character at `p` < `end` (RFC 3629: no overlong forms, no surrogates).
inline Utf8Char decode_utf8(const char* p, const char* end) {
  auto byte = [p](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(p[i])); };
  auto tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  uint32_t c = byte(0);
  auto left = end - p;
  if (c < 0x80) return {c, 1};
  if (c >= 0xC2 && c <= 0xDF && left >= 2 && tail(1)) return {(c & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if ((c & 0xF0) == 0xE0 && left >= 3 && tail(1) && tail(2)) {
    uint32_t v = (c & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    if (v >= 0x800 && (v < 0xD800 || v > 0xDFFF)) return {v, 3};
  }
  if ((c & 0xF8) == 0xF0 && left >= 4 && tail(1) && tail(2) && tail(3)) {
    uint32_t v = (c & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    if (v >= 0x10000 && v <= 0x10FFFF) return {v, 4};
  }
  return {0xFFFFFFFF, 1};
}

struct ScannedChar {
  CharClass cls;
  uint32_t length;
};

// The character that ends before `at` > 0.
ScannedChar char_before(std::string_view text, size_t at);

inline ScannedChar scan_char(const char* p, const char* end) {
  Utf8Char c = decode_utf8(p, end);
  return {c.code_point == 0xFFFFFFFF ? CharClass::other : class_of(c.code_point), c.length};
}

}  // namespace llmkit::tokenizer
