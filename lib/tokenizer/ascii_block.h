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
  uint64_t returns = 0;                                                                             // \r
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
      put(returns, is('\r'));
      put(apostrophes, is('\''));
      put(other, bytes);
    }
  }
  uint64_t letters() const { return lower | upper; }
  uint64_t tabs() const { return white & ~(newlines | returns); }  // and what else is neither space nor newline
  uint64_t all_white() const { return spaces | white; }
  uint64_t rest() const { return ~(lower | upper | digits | spaces | white | other); }  // no space, letter or number
};

// What a scanner makes of a block: a piece of some kind that starts at a bit of `starts` ends at the next bit of
// `stops`, if that is one of `ends` too; where not, the scanner must look itself. Most are words, which are looked for
// first.
struct BlockPieces {
  uint64_t starts, stops, ends;

  // The end of the piece at `at` as a bit, if it is of this kind and the block tells.
  uint64_t end_behind(size_t at) const {
    uint64_t behind = stops & (~uint64_t{1} << at);
    return starts >> at & 1 ? behind & (~behind + 1) & ends : 0;
  }
};
struct OtherBlockPieces {
  BlockPieces runs;       // of the rest
  uint64_t white_starts;  // of pieces of white space
  uint64_t cuts;          // behind the last of these in a run of white space it is cut, else before the last character
  int most_digits;        // that make a piece; 0: the scanner must look
};

// Runs of the rest with the newlines behind them: [^\s\p{L}\p{N}]+[\r\n]*.
inline BlockPieces runs_with_newlines(const AsciiBlock& b, uint64_t starts) {
  uint64_t rest = b.rest(), first = b.newlines & rest << 1;
  uint64_t behind_rest =
      b.newlines & ~(b.newlines + first);  // the sum carries through the newlines that `first` begins
  return {starts, ~(rest | behind_rest) | (rest & behind_rest << 1), ~b.returns};
}

#endif

}  // namespace llmkit::tokenizer
