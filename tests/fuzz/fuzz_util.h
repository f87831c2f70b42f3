// What the fuzz targets share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace llmkit::fuzz {

// Runs f on the input; an Error is an answer, anything else is a finding.
template <class F>
int refuse_or_accept(const uint8_t* data, size_t size, F f) {
  try {
    f(std::string_view(reinterpret_cast<const char*>(data), size));
  } catch (const Error&) {
  }
  return 0;
}

// Reads the stream to its end, passing damage.
template <class Stream>
void drain(Stream& input, size_t max_damages = 100) {
  char buffer[4096];
  for (size_t damages = 0; damages < max_damages;) {
    try {
      if (input.read(buffer) == 0) return;
    } catch (const Error&) {
      ++damages;
    }
  }
}

}  // namespace llmkit::fuzz
