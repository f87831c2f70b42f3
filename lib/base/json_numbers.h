// Long lists of whole numbers as JSON, many times as fast as JsonWriter's values one by one.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace llmkit {

// Appends "[1, 2, 3]", as JsonWriter writes it.
void append_json_numbers(std::string& out, std::span<const int32_t> numbers);

}  // namespace llmkit
