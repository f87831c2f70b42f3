// What the pre-tokenizers need to know of a character, from one pinned Unicode version (16.0.0: that of Hugging Face
// tokenizers 0.23 and tiktoken 0.14), independent of the ICU of the machine, so that ids never change with a library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace llmkit::tokenizer {

// General category, coarsened; `space` is the property White_Space, which goes before the category.
enum class CharClass : uint8_t {
  other,            // Cn, Cs, and bytes that are not UTF-8
  control,          // Cc
  format,           // Cf
  private_use,      // Co
  space,            // \s
  decimal,          // Nd
  letter_number,    // Nl
  other_number,     // No
  upper,            // Lu, Lt
  lower,            // Ll
  letter,           // Lm, Lo
  nonspacing_mark,  // Mn
  mark,             // Mc, Me
  connector,        // Pc
  punctuation,      // the other \p{P}
  symbol,           // \p{S}
};

// A set of classes; membership is one shift and one test.
class ClassSet {
 public:
  constexpr ClassSet(std::initializer_list<CharClass> classes) {
    for (CharClass c : classes) bits_ |= 1u << static_cast<int>(c);
  }
  constexpr bool operator()(CharClass c) const { return bits_ >> static_cast<int>(c) & 1; }
  constexpr ClassSet operator~() const { return ClassSet(~bits_ & 0xFFFF); }
  constexpr ClassSet operator|(ClassSet other) const { return ClassSet(bits_ | other.bits_); }

 private:
  constexpr explicit ClassSet(uint32_t bits) : bits_(bits) {}
  uint32_t bits_ = 0;
};

inline constexpr ClassSet is_letter{CharClass::upper, CharClass::lower, CharClass::letter};                  // \p{L}
inline constexpr ClassSet is_number{CharClass::decimal, CharClass::letter_number, CharClass::other_number};  // \p{N}
inline constexpr ClassSet is_mark{CharClass::nonspacing_mark, CharClass::mark};                              // \p{M}
inline constexpr ClassSet is_punctuation{CharClass::connector, CharClass::punctuation};                      // \p{P}
inline constexpr ClassSet is_space{CharClass::space};                                                        // \s
inline constexpr ClassSet is_rest = ~(is_letter | is_number | is_space);  // [^\s\p{L}\p{N}]

namespace detail {
extern const uint8_t kBlockOf[];           // block of each 256 code points
extern const uint64_t kClassBlocks[][16];  // the distinct blocks, four bits a code point
}  // namespace detail

inline CharClass class_of(uint32_t code_point) {
  const uint64_t* block = detail::kClassBlocks[detail::kBlockOf[code_point >> 8]];
  return static_cast<CharClass>(block[(code_point >> 4) & 15] >> ((code_point & 15) * 4) & 15);
}

// \w: Alphabetic, M, Nd, Pc and Join_Control (UTS 18, annex C): classes, and a few symbols and formats.
inline bool is_word(uint32_t c, CharClass cls) {
  constexpr ClassSet kWord =
      is_letter | is_mark | ClassSet{CharClass::decimal, CharClass::letter_number, CharClass::connector};
  if (cls != CharClass::symbol && cls != CharClass::format) return kWord(cls);
  return c == 0x200C || c == 0x200D || (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
         (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
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
