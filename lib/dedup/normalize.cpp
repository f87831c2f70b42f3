#include "dedup/normalize.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <cstring>

#include "base/error.h"

namespace llmkit::dedup {
namespace {

constexpr char32_t kTableSize = 0x20000;  // beyond: Han extensions and private use, each a word of its own
constexpr char32_t kHangulFirst = 0xAC00, kHangulLast = 0xD7A3;

bool written_without_spaces(char32_t c) {
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(static_cast<UChar32>(c), &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
    case USCRIPT_TIBETAN:
    case USCRIPT_YI:
      return true;
    default:
      return false;
  }
}

// The first code point of NFD(lower(c)) that is not a non-spacing mark; 0 where nothing is left.
char32_t base_of(char32_t c, const icu::Normalizer2& nfd) {
  UChar32 lower = u_tolower(static_cast<UChar32>(c));
  icu::UnicodeString parts;
  if (!nfd.getDecomposition(lower, parts))
    return u_charType(lower) == U_NON_SPACING_MARK ? 0 : static_cast<char32_t>(lower);
  for (int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1))
    if (u_charType(parts.char32At(i)) != U_NON_SPACING_MARK) return static_cast<char32_t>(parts.char32At(i));
  return 0;
}

uint32_t classify(char32_t c, const icu::Normalizer2& nfd) {
  auto make = [](FoldTable::Kind kind, char32_t folded) {
    return uint32_t{kind} << 24 | static_cast<uint32_t>(folded);
  };
  if (c >= kHangulFirst && c <= kHangulLast) return make(FoldTable::hangul, c);
  auto type = u_charType(static_cast<UChar32>(c));
  if (type == U_DECIMAL_DIGIT_NUMBER)
    return make(FoldTable::digit, static_cast<char32_t>('0' + u_charDigitValue(static_cast<UChar32>(c))));
  // Format characters (soft hyphen, joiners, byte order mark) are invisible: they must not split a word.
  if (type == U_NON_SPACING_MARK || type == U_FORMAT_CHAR) return make(FoldTable::dropped, 0);
  bool word = u_isalpha(static_cast<UChar32>(c)) || type == U_COMBINING_SPACING_MARK || type == U_ENCLOSING_MARK ||
              type == U_LETTER_NUMBER || type == U_OTHER_NUMBER;
  if (!word) return make(FoldTable::separator, ' ');
  char32_t base = base_of(c, nfd);
  if (base == 0) return make(FoldTable::dropped, 0);
  return make(written_without_spaces(c) ? FoldTable::alone : FoldTable::letter, base);
}

// One code point at `at`; its length in bytes, or 0 where the bytes are not UTF-8.
int decode(const unsigned char* at, const unsigned char* end, char32_t& c) {
  auto tail = [&](int i) { return at + i < end && (at[i] & 0xC0) == 0x80; };
  if (at[0] < 0x80) return c = at[0], 1;
  if (at[0] >= 0xC2 && at[0] < 0xE0 && tail(1)) return c = char32_t(at[0] & 0x1F) << 6 | (at[1] & 0x3F), 2;
  if (at[0] >= 0xE0 && at[0] < 0xF0 && tail(1) && tail(2)) {
    c = char32_t(at[0] & 0x0F) << 12 | char32_t(at[1] & 0x3F) << 6 | (at[2] & 0x3F);
    return c >= 0x800 && (c < 0xD800 || c > 0xDFFF) ? 3 : 0;
  }
  if (at[0] >= 0xF0 && at[0] < 0xF5 && tail(1) && tail(2) && tail(3)) {
    c = char32_t(at[0] & 0x07) << 18 | char32_t(at[1] & 0x3F) << 12 | char32_t(at[2] & 0x3F) << 6 | (at[3] & 0x3F);
    return c >= 0x10000 && c <= 0x10FFFF ? 4 : 0;
  }
  return 0;
}

char* encode(char32_t c, char* out) {
  if (c < 0x80) return *out++ = static_cast<char>(c), out;
  if (c < 0x800) {
    *out++ = static_cast<char>(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      *out++ = static_cast<char>(0xE0 | c >> 12);
    } else {
      *out++ = static_cast<char>(0xF0 | c >> 18);
      *out++ = static_cast<char>(0x80 | (c >> 12 & 0x3F));
    }
    *out++ = static_cast<char>(0x80 | (c >> 6 & 0x3F));
  }
  *out++ = static_cast<char>(0x80 | (c & 0x3F));
  return out;
}

// Hangul syllables decompose by arithmetic (The Unicode Standard 3.12).
char* encode_jamo(char32_t c, char* out) {
  char32_t s = c - kHangulFirst;
  out = encode(0x1100 + s / 588, out);
  out = encode(0x1161 + s % 588 / 28, out);
  return s % 28 ? encode(0x11A7 + s % 28, out) : out;
}

// Sixteen bytes at once when all are ASCII and none is a digit; the loop compiles to vector code.
constexpr size_t kBlock = 16;
bool fold_plain_block(const unsigned char* in, char* out) {
  unsigned char special = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    unsigned char c = in[i], lower = c | 0x20;
    bool is_letter = static_cast<unsigned char>(lower - 'a') < 26;
    out[i] = static_cast<char>(is_letter ? lower : ' ');
    special |= static_cast<unsigned char>((c & 0x80) | (static_cast<unsigned char>(c - '0') < 10));
  }
  return special == 0;
}

}  // namespace

FoldTable::FoldTable() : entries_(kTableSize) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(status);
  if (U_FAILURE(status))
    throw Error({"ICU normalisation data cannot be loaded", u_errorName(status), {}, {}, "is libicu installed?"});
  for (char32_t c = 0; c < kTableSize; ++c) entries_[c] = classify(c, *nfd);
}

void normalize(std::string_view text, const FoldTable& table, Normalized& out) {
  // A code point of two bytes or more needs at most three times its bytes (Hangul: 3 -> 9); one byte needs one.
  size_t bound = text.size() * 3 + kBlock + Normalized::kPadding;
  if (out.text.size() < bound) out.text.resize(bound + bound / 4);
  out.digits_hash = 0;
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  char* to = out.text.data();
  bool in_digits = false;
  auto step = [&] {
    char32_t c;
    int length = decode(at, end, c);
    at += length ? length : 1;
    auto kind = length ? table.kind(c) : FoldTable::separator;
    if (kind == FoldTable::digit) {
      if (!in_digits) *to++ = '0';
      in_digits = true;
      out.digits_hash = (out.digits_hash + table.folded(c)) * 0x9E3779B97F4A7C15 ^ out.digits_hash >> 29;
      return;
    }
    if (kind == FoldTable::dropped) return;
    if (in_digits) out.digits_hash = (out.digits_hash + 1) * 0xBF58476D1CE4E5B9;  // the end of a run
    in_digits = false;
    switch (kind) {
      case FoldTable::letter:
        to = encode(table.folded(c), to);
        break;
      case FoldTable::hangul:
        to = encode_jamo(c, to);
        break;
      case FoldTable::alone:
        if (to != out.text.data() && to[-1] != ' ') *to++ = ' ';
        to = encode(table.folded(c), to);
        *to++ = ' ';
        break;
      default:
        *to++ = ' ';
    }
  };
  while (at < end) {
    if (!in_digits && end - at >= static_cast<ptrdiff_t>(kBlock) && fold_plain_block(at, to)) {
      at += kBlock;
      to += kBlock;
      continue;
    }
    const unsigned char* stop = end - at > static_cast<ptrdiff_t>(kBlock) ? at + kBlock : end;
    while (at < stop) step();
  }
  if (in_digits) out.digits_hash = (out.digits_hash + 1) * 0xBF58476D1CE4E5B9;
  out.length = static_cast<size_t>(to - out.text.data());
  std::memset(to, ' ', Normalized::kPadding);
}

}  // namespace llmkit::dedup
