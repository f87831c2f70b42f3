// Golden files of hashes: a line is a name and "first:hash" for every 16384 code points, each put into a context.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/hash.h"

namespace golden {

constexpr uint32_t kChunk = 0x4000;

// A sanitizer looks for faults, which the first chunk of one to three bytes and that of four show as well as all.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kAllChunks = false;
#else
constexpr bool kAllChunks = true;
#endif

inline std::string utf8(uint32_t c) {
  auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

// Calls visit(text) with each code point of the chunk in the place of every {} of the context.
template <class Visit>
void for_each_text(uint32_t first, std::string_view context, Visit&& visit) {
  std::string text;
  for (uint32_t code = first; code < first + kChunk; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    text.clear();
    std::string c = utf8(code);
    for (size_t i = 0; i < context.size(); ++i) {
      if (context[i] == '{') {
        text += c;
        ++i;
      } else {
        text += context[i];
      }
    }
    visit(std::string_view(text));
  }
}

// Calls check(name, first, hash) for what the file says; returns the number of names.
template <class Check>
size_t for_each_chunk(const char* path, Check&& check) {
  std::ifstream file(path);
  size_t names = 0;
  for (std::string line, name, chunk; std::getline(file, line); ++names) {
    std::istringstream words(line);
    words >> name;
    while (words >> chunk) {
      uint32_t first = 0;
      auto parsed = std::from_chars(chunk.data(), chunk.data() + chunk.size(), first, 16);
      if (kAllChunks || first == 0 || first == 0x10000) check(name, first, std::string(parsed.ptr + 1));
    }
  }
  return names;
}

inline std::string hex_hash(std::string_view bytes) {
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(llmkit::xxh3_64(bytes)));
  return hex;
}

}  // namespace golden
