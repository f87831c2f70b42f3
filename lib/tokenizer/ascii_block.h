// Sixty-four bytes as sets of bits, and the pieces in them that end at the first stop behind their start, so that most
// pieces of a text cost a few instructions that do not wait for each other.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace llmkit::tokenizer {

#if defined(__SSE2__)

struct AsciiBlock {
  static constexpr size_t kBytes = 64;
  uint64_t lower = 0, upper = 0, digits = 0, spaces = 0, white = 0, newlines = 0, apostrophes = 0;  // white: \t … \r
  uint64_t other = 0;                                                                               // not ASCII

  explicit AsciiBlock(const char* p) {
    for (int i = 0; i < 4; ++i) {
      __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
      auto put = [&](uint64_t& set, __m128i found) {
        set |= uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(found))} << (16 * i);
      };
      auto is = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
      auto within = [&](char first, char last) {
        __m128i place = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
        return _mm_cmpeq_epi8(_mm_min_epu8(place, _mm_set1_epi8(static_cast<char>(last - first))), place);
      };
      put(lower, within('a', 'z'));
      put(upper, within('A', 'Z'));
      put(digits, within('0', '9'));
      put(spaces, is(' '));
      put(white, within('\t', '\r'));
      put(newlines, is('\n'));
      put(apostrophes, is('\''));
      put(other, bytes);
    }
  }
  uint64_t letters() const { return lower | upper; }
  uint64_t rest() const { return ~(lower | upper | digits | spaces | white | other); }  // no space, letter or number
};

// What a scanner makes of a block: a piece that starts at a bit of `starts` ends at the next bit of `stops`, if that is
// one of `ends` too; where not, the scanner must look itself.
struct BlockPieces {
  uint64_t starts, stops, ends;
};

#endif

}  // namespace llmkit::tokenizer
