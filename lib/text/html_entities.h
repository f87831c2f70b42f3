// Character references: "&amp;", "&#x20AC;", "&copy" (HTML standard, 13.2.5.72-80).
#pragma once

#include <string>
#include <string_view>

#include "text/arena.h"

namespace llmkit::text {

// `after` begins behind the '&'. Writes at most 8 bytes to `out` and their number to `written`; returns how many bytes
// of `after` were consumed, 0 where it is no reference (the '&' then stands for itself).
size_t decode_entity(std::string_view after, bool in_attribute, char* out, size_t& written);

// `text` with its references decoded; `text` itself where it has none, else a copy in the arena.
std::string_view decode_entities(std::string_view text, bool in_attribute, Arena& arena);
std::string decode_entities(std::string_view text);

}  // namespace llmkit::text
