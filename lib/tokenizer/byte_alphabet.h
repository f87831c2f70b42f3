// GPT-2's map between bytes and printable characters: tokenizer.json spells byte-level tokens with it, so that any
// bytes are valid, visible JSON text. Printable Latin-1 stays as it is; the other 68 bytes become U+0100 … U+0143 in
// order.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llmkit::tokenizer {

// Code point of each byte.
const std::array<uint16_t, 256>& byte_characters();

std::string spell_bytes(std::string_view bytes);  // bytes -> their characters in UTF-8
std::optional<std::string> unspell_bytes(
    std::string_view characters);  // and back; nothing where a character is not of the map

}  // namespace llmkit::tokenizer
