// The property Script of a character, by the same pinned Unicode version as its class (unicode_class.h).
#pragma once

#include <cstdint>
#include <string_view>

namespace llmkit::tokenizer {

namespace detail {
extern const int kScripts;
extern const char* const kScriptNames[];
extern const uint8_t kScriptBlockOf[];      // block of each 256 code points
extern const uint8_t kScriptBlocks[][256];  // the distinct blocks
}  // namespace detail

// A number below script_count(); 0 is "Unknown", also for what is no code point.
inline uint8_t script_of(uint32_t code_point) {
  return code_point < 0x110000 ? detail::kScriptBlocks[detail::kScriptBlockOf[code_point >> 8]][code_point & 255] : 0;
}
inline int script_count() {
  return detail::kScripts;
}
inline std::string_view script_name(int script) {  // "Latin", "Han", "Canadian_Aboriginal"
  return detail::kScriptNames[script];
}
uint8_t script_named(std::string_view name);  // 0 where there is none

}  // namespace llmkit::tokenizer
