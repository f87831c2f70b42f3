// Which language a text is in: the script decides where it can (Greek, Thai, Hangul, …); otherwise function words that
// we listed and letters that only some languages use vote. A first version: 31 languages by words, 20 more by script
// alone.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace llmkit::text {

struct LanguageGuess {
  std::string_view code = "und";  // ISO 639-1, "und" where nothing fits
  double score = 0;               // 0 … 1; how far the winner stands out, not a calibrated probability
};

// Looks at the first `max_bytes` of valid UTF-8.
LanguageGuess identify_language(std::string_view text, size_t max_bytes = 16 << 10);

// The function words of a language, lower case, most telling first; empty where we have none.
std::span<const std::string_view> stop_words(std::string_view code);

// The languages that identify_language can name.
std::span<const std::string_view> known_languages();

}  // namespace llmkit::text
