// Unicode normalisation and character classes (ICU behind plain functions). Input is valid UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llmkit::text {

enum class Form { nfc, nfd, nfkc, nfkd };

std::string normalize(std::string_view text, Form form);
bool is_normalized(std::string_view text, Form form);

// Lower case by the root locale, a code point at a time (simple case mapping).
std::string to_lower(std::string_view text);
char32_t to_lower(char32_t code);

bool is_alphabetic(char32_t code);
bool is_digit(char32_t code);  // decimal digits of any script
bool is_upper(char32_t code);
bool is_mark(char32_t code);         // combining marks (Mn, Mc, Me)
bool is_space(char32_t code);        // White_Space
bool is_punctuation(char32_t code);  // P* and S*
bool is_control(char32_t code);      // Cc, without tab and line ends

// Scripts that do not put spaces between words: Han, Kana, Thai, Lao, Khmer, Myanmar, Tibetan.
bool is_unspaced(char32_t code);

enum class Script : uint8_t {
  other,
  latin,
  cyrillic,
  greek,
  arabic,
  hebrew,
  devanagari,
  bengali,
  gurmukhi,
  gujarati,
  tamil,
  telugu,
  kannada,
  malayalam,
  sinhala,
  thai,
  lao,
  myanmar,
  khmer,
  tibetan,
  georgian,
  armenian,
  ethiopic,
  han,
  hiragana,
  katakana,
  hangul,
  count
};
Script script_of(char32_t code);

}  // namespace llmkit::text
