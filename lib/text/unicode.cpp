#include "text/unicode.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>

#include "base/error.h"
#include "text/utf8.h"

namespace llmkit::text {
namespace {

const icu::Normalizer2& normalizer(Form form) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* found = nullptr;
  switch (form) {
    case Form::nfc:
      found = icu::Normalizer2::getNFCInstance(status);
      break;
    case Form::nfd:
      found = icu::Normalizer2::getNFDInstance(status);
      break;
    case Form::nfkc:
      found = icu::Normalizer2::getNFKCInstance(status);
      break;
    case Form::nfkd:
      found = icu::Normalizer2::getNFKDInstance(status);
      break;
  }
  if (U_FAILURE(status) || found == nullptr) throw Error("ICU has no normalisation data");
  return *found;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::string normalize(std::string_view text, Form form) {
  if (is_ascii(text)) return std::string(text);
  std::string out;
  icu::StringByteSink<std::string> sink(
      &out, static_cast<int32_t>(std::min<size_t>(text.size() + text.size() / 8, INT32_MAX)));
  UErrorCode status = U_ZERO_ERROR;
  normalizer(form).normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink, nullptr,
                                 status);
  if (U_FAILURE(status)) throw Error("normalisation failed: " + std::string(u_errorName(status)));
  return out;
}

bool is_normalized(std::string_view text, Form form) {
  if (is_ascii(text)) return true;
  UErrorCode status = U_ZERO_ERROR;
  return normalizer(form).isNormalizedUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), status) &&
         U_SUCCESS(status);
}

char32_t to_lower(char32_t code) {
  return static_cast<char32_t>(u_tolower(static_cast<UChar32>(code)));
}

std::string to_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    char c = text[at];
    if (static_cast<unsigned char>(c) < 0x80) {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      ++at;
    } else {
      append_utf8(out, to_lower(decode_utf8(text, at)));
    }
  }
  return out;
}

bool is_alphabetic(char32_t code) {
  return u_isalpha(static_cast<UChar32>(code));
}
bool is_digit(char32_t code) {
  return u_isdigit(static_cast<UChar32>(code));
}
bool is_upper(char32_t code) {
  return u_isupper(static_cast<UChar32>(code));
}
bool is_space(char32_t code) {
  return u_isUWhiteSpace(static_cast<UChar32>(code));
}
bool is_mark(char32_t code) {
  return (U_GET_GC_MASK(static_cast<UChar32>(code)) & U_GC_M_MASK) != 0;
}
bool is_punctuation(char32_t code) {
  return (U_GET_GC_MASK(static_cast<UChar32>(code)) & (U_GC_P_MASK | U_GC_S_MASK)) != 0;
}
bool is_control(char32_t code) {
  return (code < 0x20 && code != '\t' && code != '\n' && code != '\r') || (code >= 0x7F && code < 0xA0);
}

bool is_unspaced(char32_t c) {
  if (c < 0x0E00) return false;
  return (c <= 0x0FFF)                    // Thai, Lao, Tibetan
         || (c >= 0x1000 && c <= 0x109F)  // Myanmar
         || (c >= 0x1780 && c <= 0x17FF)  // Khmer
         || (c >= 0x3041 && c <= 0x30FF) || (c >= 0x31F0 && c <= 0x31FF) || (c >= 0xFF66 && c <= 0xFF9F)  // Kana
         || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || c == 0x3005 || c == 0x3007    // Han
         || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
}

Script script_of(char32_t code) {
  if (code < 0x80) return (code | 32) >= 'a' && (code | 32) <= 'z' ? Script::latin : Script::other;
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(static_cast<UChar32>(code), &status)) {
    case USCRIPT_LATIN:
      return Script::latin;
    case USCRIPT_CYRILLIC:
      return Script::cyrillic;
    case USCRIPT_GREEK:
      return Script::greek;
    case USCRIPT_ARABIC:
      return Script::arabic;
    case USCRIPT_HEBREW:
      return Script::hebrew;
    case USCRIPT_DEVANAGARI:
      return Script::devanagari;
    case USCRIPT_BENGALI:
      return Script::bengali;
    case USCRIPT_GURMUKHI:
      return Script::gurmukhi;
    case USCRIPT_GUJARATI:
      return Script::gujarati;
    case USCRIPT_TAMIL:
      return Script::tamil;
    case USCRIPT_TELUGU:
      return Script::telugu;
    case USCRIPT_KANNADA:
      return Script::kannada;
    case USCRIPT_MALAYALAM:
      return Script::malayalam;
    case USCRIPT_SINHALA:
      return Script::sinhala;
    case USCRIPT_THAI:
      return Script::thai;
    case USCRIPT_LAO:
      return Script::lao;
    case USCRIPT_MYANMAR:
      return Script::myanmar;
    case USCRIPT_KHMER:
      return Script::khmer;
    case USCRIPT_TIBETAN:
      return Script::tibetan;
    case USCRIPT_GEORGIAN:
      return Script::georgian;
    case USCRIPT_ARMENIAN:
      return Script::armenian;
    case USCRIPT_ETHIOPIC:
      return Script::ethiopic;
    case USCRIPT_HAN:
      return Script::han;
    case USCRIPT_HIRAGANA:
      return Script::hiragana;
    case USCRIPT_KATAKANA:
      return Script::katakana;
    case USCRIPT_HANGUL:
      return Script::hangul;
    default:
      return Script::other;
  }
}

}  // namespace llmkit::text
