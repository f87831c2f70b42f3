#include "tokenizer/unicode_normal.h"

#include <algorithm>

namespace llmkit::tokenizer {
namespace {

// Hangul syllables are decomposed by arithmetic (Unicode 16.0, section 3.12).
constexpr uint32_t kSyllables = 0xAC00, kLeads = 0x1100, kVowels = 0x1161, kTails = 0x11A7;
constexpr uint32_t kLeadCount = 19, kVowelCount = 21, kTailCount = 28;
constexpr uint32_t kSyllableCount = kLeadCount * kVowelCount * kTailCount;

std::span<const uint32_t> mapped(const detail::Mapping* table, size_t size, uint32_t code) {
  auto* found = std::lower_bound(table, table + size, code, [](auto& row, uint32_t c) { return row.code < c; });
  if (found == table + size || found->code != code) return {};
  return {detail::kMapped + found->at, found->size};
}

}  // namespace

size_t decompose(uint32_t code, bool compatible, std::span<uint32_t> out) {
  if (uint32_t s = code - kSyllables; s < kSyllableCount) {
    out[0] = kLeads + s / (kVowelCount * kTailCount);
    out[1] = kVowels + s / kTailCount % kVowelCount;
    out[2] = kTails + s % kTailCount;
    return s % kTailCount ? 3 : 2;
  }
  auto to = compatible ? mapped(detail::kCompatible, detail::kCompatibleSize, code)
                       : mapped(detail::kCanonical, detail::kCanonicalSize, code);
  if (to.empty()) {
    out[0] = code;
    return 1;
  }
  std::copy(to.begin(), to.end(), out.begin());
  return to.size();
}

uint32_t compose(uint32_t first, uint32_t second) {
  if (first - kLeads < kLeadCount && second - kVowels < kVowelCount)
    return kSyllables + ((first - kLeads) * kVowelCount + second - kVowels) * kTailCount;
  if (first - kSyllables < kSyllableCount && (first - kSyllables) % kTailCount == 0 && second > kTails &&
      second - kTails < kTailCount)
    return first + second - kTails;
  uint64_t pair = uint64_t{first} << 32 | second;
  auto *begin = detail::kCompositions, *end = begin + detail::kCompositionsSize;
  auto* found = std::lower_bound(begin, end, pair, [](auto& row, uint64_t p) { return row.pair < p; });
  return found != end && found->pair == pair ? found->composed : 0;
}

uint8_t combining_class(uint32_t code) {
  auto *begin = detail::kCombining, *end = begin + detail::kCombiningSize;
  auto* found = std::lower_bound(begin, end, code, [](auto& row, uint32_t c) { return row.last < c; });
  return found != end && found->first <= code ? found->combining : uint8_t{0};
}

std::span<const uint32_t> lower_case(uint32_t code) {
  return mapped(detail::kLower, detail::kLowerSize, code);
}

}  // namespace llmkit::tokenizer
