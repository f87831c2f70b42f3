// Decomposition, composition, combining class and lower case of characters (Unicode 16.0, annex 15), from generated
// tables: the same result with any system library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace llmkit::tokenizer {

// What normalisation may do to a character; most characters have no bit set and are copied.
enum NormalFlag : uint8_t {
  kChangesNfd = 1,
  kChangesNfkd = 2,
  kChangesNfc = 4,
  kChangesNfkc = 8,
  kJoins = 16,  // it, or what it decomposes to, may reorder or compose with what stands before it
  kHasLower = 32,
};

namespace detail {
struct Mapping {
  uint32_t code;
  uint16_t at, size;  // in kMapped
};
struct Composition {
  uint64_t pair;  // first code << 32 | second
  uint32_t composed;
};
struct CombiningRange {
  uint32_t first, last;
  uint8_t combining;
};
extern const uint8_t kNormalBlockOf[];
extern const uint8_t kNormalBlocks[][256];
extern const Mapping kCanonical[], kCompatible[], kLower[];
extern const size_t kCanonicalSize, kCompatibleSize, kLowerSize;
extern const uint32_t kMapped[];
extern const Composition kCompositions[];
extern const size_t kCompositionsSize;
extern const CombiningRange kCombining[];
extern const size_t kCombiningSize;
}  // namespace detail

inline uint8_t normal_flags(uint32_t code_point) {
  return detail::kNormalBlocks[detail::kNormalBlockOf[code_point >> 8]][code_point & 255];
}

// The full decomposition written to `out` (at least 18 long); returns its length, 1 for a character that has none.
size_t decompose(uint32_t code_point, bool compatible, std::span<uint32_t> out);
uint32_t compose(uint32_t first, uint32_t second);  // 0: they do not compose
uint8_t combining_class(uint32_t code_point);
// Lower case, context-free: one code point, except for U+0130 (i and a dot above).
std::span<const uint32_t> lower_case(uint32_t code_point);  // empty: the character itself

}  // namespace llmkit::tokenizer
