// The pieces of which the scanners are made. A scanner is a struct with `const char* next(p, scan)`, which returns the
// end of the piece that starts at p < end; ScanningPreTokenizer turns it into a PreTokenizer with one virtual call a
// batch.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "tokenizer/ascii_block.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {

// Classes of the ASCII characters, so that the common case needs no decoding.
struct AsciiClasses {
  CharClass of[128];
};
const AsciiClasses& ascii_classes();

class Scan {
 public:
  explicit Scan(const char* end) : end_(end), ascii_(ascii_classes().of) {}

  ScannedChar at(const char* p) const {
    auto c = static_cast<unsigned char>(*p);
    return c < 128 ? ScannedChar{ascii_[c], 1} : scan_char(p, end_);
  }
  // Whether there is a character of `set` at p ≤ end.
  bool is(const char* p, ClassSet set) const { return p < end_ && set(at(p).cls); }

  const char* run(const char* p, ClassSet wanted) const {
    while (p < end_) {
      ScannedChar c = at(p);
      if (!wanted(c.cls)) break;
      p += c.length;
    }
    return p;
  }
  const char* numbers(const char* p) const { return run(p, is_number); }
  const char* rest(const char* p) const { return run(p, is_rest); }

  const char* letters(const char* p) const {
    for (;;) {
      p = ascii_letters(p);
      if (p == end_ || static_cast<unsigned char>(*p) < 128) return p;
      p = ideographs(p);
      if (p == end_) return p;
      ScannedChar c = at(p);
      if (!is_letter(c.cls)) return p;
      p += c.length;
    }
  }

  // [A-Za-z]* and [a-z]*, sixteen bytes at a time.
  const char* ascii_letters(const char* p) const { return ascii_run(p, 0x20); }
  const char* ascii_lower(const char* p) const { return ascii_run(p, 0); }

  // A run of U+4E00…U+9FFF, all of them letters: E4 B8 80 … E9 BF BF.
  const char* ideographs(const char* p) const {
#if defined(__SSE2__)
    // Five characters at a time: each byte within the bounds of its place; E4 needs a second byte from B8 on.
    const __m128i least =
        _mm_setr_epi8(-28, -128, -128, -28, -128, -128, -28, -128, -128, -28, -128, -128, -28, -128, -128, 0);
    const __m128i most = _mm_setr_epi8(-23, -65, -65, -23, -65, -65, -23, -65, -65, -23, -65, -65, -23, -65, -65, -1);
    while (end_ - p >= 16) {
      __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      __m128i bounded = _mm_min_epu8(_mm_max_epu8(bytes, least), most);
      auto in_bounds = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bounded, bytes)));
      auto e4 = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(-28))));
      auto low = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmplt_epi8(bytes, _mm_set1_epi8(-72))));
      uint32_t good = in_bounds & ~(e4 << 1 & low);
      if ((good & 0x7FFF) != 0x7FFF) return p + std::countr_one(good) / 3 * 3;
      p += 15;
    }
#endif
    while (end_ - p >= 3) {
      auto byte = [p](int i) { return static_cast<unsigned char>(p[i]); };
      bool lead = static_cast<unsigned char>(byte(0) - 0xE5) < 5 || (byte(0) == 0xE4 && byte(1) >= 0xB8);
      if (!lead || (byte(1) & 0xC0) != 0x80 || (byte(2) & 0xC0) != 0x80) break;
      p += 3;
    }
    return p;
  }

  // Up to `most` numbers at p.
  const char* numbers(const char* p, int most) const {
    for (; most > 0 && p < end_; --most) {
      ScannedChar c = at(p);
      if (!is_number(c.cls)) break;
      p += c.length;
    }
    return p;
  }

  const char* newlines(const char* p) const {  // [\r\n]*
    while (p < end_ && (*p == '\n' || *p == '\r')) ++p;
    return p;
  }

  // \s+(?!\S)|\s+ at a space character: the run, less its last character when text follows (that one may open the next
  // piece), but never nothing.
  const char* spaces(const char* p) const {
    const char *last = p, *q = p;
    while (q < end_) {
      ScannedChar c = at(q);
      if (!is_space(c.cls)) return last > p ? last : q;
      last = q;
      q += c.length;
    }
    return q;
  }

  // \s*[\r\n]+|\s+(?!\S)|\s+ at a space character: up to the last newline of the run if it has one. With
  // `FinalTogether`, \s+$ comes first: the white space at the end is not divided.
  template <bool FinalTogether = false>
  const char* lines_or_spaces(const char* p) const {
    const char *last = p, *newline = nullptr, *q = p;
    while (q < end_) {
      ScannedChar c = at(q);
      if (!is_space(c.cls)) return newline ? newline : last > p ? last : q;
      if (*q == '\n' || *q == '\r') newline = q + 1;
      last = q;
      q += c.length;
    }
    return newline && !FinalTogether ? newline : q;
  }

  // The end of '(s|t|d|m|re|ve|ll) at an apostrophe p, or nullptr.
  const char* contraction(const char* p) const {
    if (end_ - p < 2) return nullptr;
    char a = p[1], b = end_ - p > 2 ? p[2] : '\0';
    if (a == 's' || a == 't' || a == 'd' || a == 'm') return p + 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? p + 3 : nullptr;
  }
  // The same without regard to case; U+017F (long s) folds to s.
  const char* any_case_contraction(const char* p) const {
    if (end_ - p < 2) return nullptr;
    if (p[1] == '\xC5' && end_ - p > 2 && p[2] == '\xBF') return p + 3;
    char a = static_cast<char>(p[1] | 0x20), b = end_ - p > 2 ? static_cast<char>(p[2] | 0x20) : '\0';
    if (a == 's' || a == 't' || a == 'd' || a == 'm') return p + 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? p + 3 : nullptr;
  }

  const char* end() const {
    return end_;
  }

 private:
  // Bytes that are small letters once the bits of `fold` are set.
  const char* ascii_run(const char* p, char fold) const {
#if defined(__SSE2__)
    const __m128i last = _mm_set1_epi8(25), a = _mm_set1_epi8('a'), folds = _mm_set1_epi8(fold);
    while (end_ - p >= 16) {
      __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      __m128i letter = _mm_sub_epi8(_mm_or_si128(bytes, folds), a);
      auto mask = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(letter, last), letter)));
      if (mask != 0xFFFF) return p + std::countr_one(mask);
      p += 16;
    }
#endif
    while (p < end_ && static_cast<unsigned char>((*p | fold) - 'a') < 26) ++p;
    return p;
  }

  const char* end_;
  const CharClass* ascii_;
};

// What the pieces of a pre-tokenizer allow.
struct PieceTraits {
  bool breaks_at_words = true;
  bool drops_spaces = false;
};

template <class Scanner>
class ScanningPreTokenizer : public PreTokenizer {
 public:
  explicit ScanningPreTokenizer(std::string_view json, PieceTraits traits = {}, Scanner scanner = {})
      : json_(json), traits_(traits), scanner_(scanner) {}

  size_t split(std::string_view text, size_t from, std::span<size_t> ends) const override {
    const char *begin = text.data(), *end = begin + text.size(), *p = begin + from;
    Scan scan(end);
    size_t count = 0;
#if defined(__SSE2__)
    if constexpr (requires(const AsciiBlock& block) { Scanner::words_of(block); }) {
      while (end - p >= static_cast<std::ptrdiff_t>(AsciiBlock::kBytes) && count < ends.size()) {
        if (static_cast<signed char>(*p) >= 0) {
          p = split_block(p, begin, scan, ends, count);
        } else {
          p = scanner_.next(p, scan);
          ends[count++] = static_cast<size_t>(p - begin);
        }
      }
    }
#endif
    for (; p < end && count < ends.size(); ++count) {
      p = scanner_.next(p, scan);
      ends[count] = static_cast<size_t>(p - begin);
    }
    return count;
  }
  bool breaks_at_words() const override {
    return traits_.breaks_at_words;
  }
  bool drops_spaces() const override {
    return traits_.drops_spaces;
  }
  std::string_view hugging_face_json() const override {
    return json_;
  }

 private:
#if defined(__SSE2__)
  // The end of a piece at `at` that is no word, as a bit, or 0 where the block does not tell; then `goes_on` says
  // whether a block that begins with the piece may.
  static uint64_t end_of_other(const AsciiBlock& block, size_t at, bool& goes_on) {
    const OtherBlockPieces pieces = Scanner::others_of(block);
    const uint64_t from = ~uint64_t{0} << at;
    auto first = [](uint64_t set) { return set & (~set + 1); };
    if (pieces.runs.starts >> at & 1) {
      goes_on = !(pieces.runs.stops & from << 1);
      return pieces.runs.end_behind(at) & ~block.other;
    }
    const bool white = pieces.white_starts >> at & 1;
    if (!white && (pieces.most_digits == 0 || !(block.digits >> at & 1))) return 0;
    uint64_t end = first(~(white ? block.all_white() : block.digits) & from), run = (end - 1) & from;
    goes_on = end == 0;
    if ((end & ~block.other) == 0 || (run & block.returns)) return 0;
    if (!white) return std::min(end, uint64_t{1} << at << pieces.most_digits);
    if (uint64_t cuts = run & pieces.cuts) return std::bit_floor(cuts) << 1;
    return run >> at > 1 ? end >> 1 : end;
  }

  // The pieces that end in the block at p, up to the room there is; returns where the next one starts.
  const char* split_block(const char* p, const char* begin, const Scan& scan, std::span<size_t> ends,
                          size_t& count) const {
    const AsciiBlock block(p);
    BlockPieces words = Scanner::words_of(block);
    words.ends &= ~block.other;
    size_t at = 0, n = count;
    const auto base = static_cast<size_t>(p - begin);
    while (n < ends.size()) {
      uint64_t behind = words.stops & (~uint64_t{1} << at);
      uint64_t end = behind & (~behind + 1);
      if (!(words.starts >> at & 1) || !(end & words.ends)) {
        bool goes_on = !end;
        end = words.starts >> at & 1 ? 0 : end_of_other(block, at, goes_on);
        if (!end) {
          if (at > 0 && goes_on) break;
          const char* next = scanner_.next(p + at, scan);
          ends[n++] = static_cast<size_t>(next - begin);
          at = static_cast<size_t>(next - p);
          if (at >= AsciiBlock::kBytes) break;
          continue;
        }
      }
      at = static_cast<size_t>(std::countr_zero(end));
      ends[n++] = base + at;
    }
    count = n;
    return p + at;
  }
#endif

  std::string_view json_;
  PieceTraits traits_;
  Scanner scanner_;
};

}  // namespace llmkit::tokenizer
