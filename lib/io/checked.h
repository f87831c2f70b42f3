// Arithmetic on sizes that come from a file: overflow is an answer, not a wrapped number.
#pragma once

#include <cstdint>
#include <optional>

namespace llmkit::io {

inline std::optional<uint64_t> checked_add(uint64_t a, uint64_t b) {
  uint64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return {};
  return sum;
}

inline std::optional<uint64_t> checked_mul(uint64_t a, uint64_t b) {
  uint64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return {};
  return product;
}

}  // namespace llmkit::io
