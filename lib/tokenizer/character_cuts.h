// Where a piece falls apart: between two characters of three bytes (Chinese, Japanese, Korean, full-width punctuation)
// over which no token reaches. Merging on one side then knows nothing of the other, so the piece is encoded part by
// part, and in Chinese nearly every part is one character (97 % of the places with cl100k, 93 % with o200k).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmkit::tokenizer {

// Which two bytes stand side by side in a token.
class ByteNeighbours {
 public:
  void add(std::string_view token) {
    for (size_t i = 1; i < token.size(); ++i) bits_[place(token[i - 1], token[i])] = true;
  }
  bool maybe(char a, char b) const { return bits_[place(a, b)]; }

 private:
  static size_t place(char a, char b) {
    return size_t{static_cast<unsigned char>(a)} << 8 | static_cast<unsigned char>(b);
  }
  std::vector<bool> bits_ = std::vector<bool>(size_t{1} << 16);
};

class CharacterCuts {
 public:
  CharacterCuts() = default;
  // maybe_joined looks at 2^filter_bits bits: 17 fit the fastest cache, 20 are hardly ever wrong.
  explicit CharacterCuts(const std::vector<std::string>& tokens, int filter_bits = 17);

  // Whether three bytes at p have the form of a character; p has as many.
  static bool may_be_wide(const char* p) { return (p[0] & 0xF0) == 0xE0; }  // needs one byte
  static bool is_wide(const char* p) { return (p[0] & 0xF0) == 0xE0 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80; }
  // Of such a character: 16 bits, and its bytes back.
  static uint32_t code_of(const char* p) {
    return static_cast<uint32_t>((p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F));
  }
  static constexpr size_t kCodes = size_t{1} << 16;

  // Whether some token reaches over the place between a and b. May say so wrongly, but never denies it wrongly.
  bool maybe_joined(uint32_t a, uint8_t leaving, uint32_t b, uint8_t entering) const {
    uint32_t bit = bit_of(a << 16 | b);
    return ((leaving & entering) | (filter_.data()[bit / 64] >> (bit % 64) & 1)) != 0;
  }
  bool joined(uint32_t a, uint8_t leaving, uint32_t b, uint8_t entering) const {
    return has(pair_of(last_of(a, 3), first_of(b, 3))) || ((leaving & entering) != 0 && joined_in_part(a, b));
  }
  // What maybe_joined needs to know of tokens that hold one of the two characters in part. Bit 0: some token's last
  // bytes are the first of b, but not all of them, and stand behind bytes that a ends with; bit 1: some token has all
  // of b (behind it may stand more) and begins inside a.
  uint8_t leaving(uint32_t code) const { return sides(code, leaving_); }
  uint8_t entering(uint32_t code) const { return sides(code, entering_); }

 private:
  // n last or first bytes of a character as a number of 18 bits.
  static uint32_t last_of(uint32_t code, int n) {
    return static_cast<uint32_t>(n) << 16 | (n == 3 ? code : code & ((1u << (6 * n)) - 1));
  }
  static uint32_t first_of(uint32_t code, int n) { return static_cast<uint32_t>(n) << 16 | code >> (6 * (3 - n)); }
  static uint64_t pair_of(uint32_t last, uint32_t first) { return uint64_t{last} << 18 | first; }
  static uint64_t hash_of(uint64_t pair) { return pair * 0x9E3779B97F4A7C15 >> 20; }
  bool has(uint64_t pair) const {
    for (uint64_t i = hash_of(pair) & mask_;; i = (i + 1) & mask_)
      if (pairs_[i] == pair || pairs_[i] == 0) return pairs_[i] == pair;
  }

  uint32_t bit_of(uint32_t codes) const { return codes * 0x9E3779B1 >> filter_shift_; }
  bool joined_in_part(uint32_t a, uint32_t b) const;
  using Sides = std::vector<uint8_t>;  // by last_of or first_of
  uint8_t sides(uint32_t code, const Sides& of) const;

  Sides leaving_, entering_;
  int filter_shift_ = 26;
  std::vector<uint64_t> filter_ = std::vector<uint64_t>(1);  // pairs of whole characters
  std::vector<uint64_t> pairs_;                              // open addressing; 0: empty
  uint64_t mask_ = 0;
};

}  // namespace llmkit::tokenizer
