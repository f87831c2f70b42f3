#include "tokenizer/character_cuts.h"

#include <algorithm>
#include <bit>

namespace llmkit::tokenizer {

CharacterCuts::CharacterCuts(const std::vector<std::string>& tokens, int filter_bits)
    : leaving_(size_t{1} << 18),
      entering_(size_t{1} << 18),
      filter_shift_(32 - filter_bits),
      filter_(size_t{1} << (filter_bits - 6)) {
  std::vector<uint64_t> pairs;
  auto tail = [](char c) { return (c & 0xC0) == 0x80; };
  for (auto& token : tokens) {
    for (size_t i = 1; i < token.size(); ++i) {
      // A character of three bytes, or what there is of one, on both sides of i.
      if ((token[i] & 0xF0) != 0xE0 || !tail(token[i - 1])) continue;
      uint32_t code = 0;
      size_t before = std::min<size_t>(i, 3), behind = std::min<size_t>(token.size() - i, 3);
      if (before == 3 ? !is_wide(token.data() + i - 3) : !(before == 1 || tail(token[0]))) continue;
      for (size_t k = i - before; k < i; ++k) code = code << 6 | (token[k] & 0x3F);
      uint32_t last = last_of(code & 0xFFFF, static_cast<int>(before));
      code = 0;
      bool formed = true;
      for (size_t k = 0; k < behind; ++k) {
        formed &= k == 0 || tail(token[i + k]);
        code = code << 6 | (token[i + k] & (k == 0 ? 0x0F : 0x3F));
      }
      if (!formed) continue;  // no text of two characters holds it
      uint32_t first = static_cast<uint32_t>(behind) << 16 | code;
      bool in_part = behind < 3, from_part = before < 3 && behind == 3;
      auto sides = static_cast<uint8_t>(in_part | from_part << 1);
      leaving_[last] |= sides;
      entering_[first] |= sides;
      if (sides == 0) {
        uint32_t bit = bit_of((last & 0xFFFF) << 16 | code);
        filter_[bit / 64] |= uint64_t{1} << (bit % 64);
      }
      pairs.push_back(pair_of(last, first));
    }
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  pairs_.resize(std::bit_ceil(2 * pairs.size() + 2));
  mask_ = pairs_.size() - 1;
  for (uint64_t pair : pairs) {
    uint64_t i = hash_of(pair) & mask_;
    while (pairs_[i] != 0) i = (i + 1) & mask_;
    pairs_[i] = pair;
  }
}

uint8_t CharacterCuts::sides(uint32_t code, const Sides& of) const {
  unsigned bits = 0;
  for (int n = 1; n <= 3; ++n) bits |= of[&of == &leaving_ ? last_of(code, n) : first_of(code, n)];
  return static_cast<uint8_t>(bits);
}

bool CharacterCuts::joined_in_part(uint32_t a, uint32_t b) const {
  for (int n = 1; n <= 3; ++n)
    for (int m = 1; m <= 3; ++m)
      if (has(pair_of(last_of(a, n), first_of(b, m)))) return true;
  return false;
}

}  // namespace llmkit::tokenizer
