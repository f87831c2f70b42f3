// UTF-8: checking, decoding, writing and repair. Repair follows the WHATWG decoder: each maximal ill-formed part
// becomes one U+FFFD (Unicode 15, section 3.9, table 3-8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace llmkit::text {

inline constexpr char32_t kReplacement = 0xFFFD;

bool is_valid_utf8(std::string_view text);
// The length of the longest valid prefix.
size_t valid_utf8_prefix(std::string_view text);
// Appends `text` with ill-formed parts replaced; returns how many were replaced.
size_t append_repaired(std::string& out, std::string_view text);
std::string repair_utf8(std::string_view text);

// Writes one code point (surrogates and values past U+10FFFF become U+FFFD); returns the bytes written (1-4).
size_t encode_utf8(char32_t code, char* out);
void append_utf8(std::string& out, char32_t code);

// Reads the code point at `position` and moves past it. Ill-formed input gives U+FFFD and moves at least one byte.
char32_t decode_utf8(std::string_view text, size_t& position);

// Code points in valid UTF-8.
size_t count_code_points(std::string_view text);
// The longest prefix of at most `max_bytes` that does not cut a code point.
std::string_view utf8_prefix(std::string_view text, size_t max_bytes);

}  // namespace llmkit::text
