#include "dedup/shingles.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace llmkit::dedup {
namespace {

constexpr uint64_t kWordMul = 0x9FB21C651E98DF25, kMixMul = 0xD6E8FEB86659FD93, kPoly = 0xC2B2AE3D27D4EB4F;
constexpr uint64_t kSpaces = 0x2020202020202020, kLow7 = 0x7F7F7F7F7F7F7F7F;

uint64_t mix(uint64_t x) {  // a bijection of 64 bits in which every bit depends on every bit
  x ^= x >> 32;
  x *= kMixMul;
  x ^= x >> 32;
  x *= kMixMul;
  return x ^ x >> 32;
}

uint64_t load8(const char* p) {
  uint64_t x;
  std::memcpy(&x, p, 8);
  if constexpr (std::endian::native == std::endian::big) x = __builtin_bswap64(x);
  return x;
}

// 0x80 in every byte of x that is a space, zero in the others, exactly.
uint64_t space_bytes(uint64_t x) {
  uint64_t y = x ^ kSpaces;
  return ~(((y & kLow7) + kLow7) | y | kLow7);
}

// The same for 64 bytes, one bit a byte.
uint64_t space_bits(const char* p) {
  uint64_t bits = 0;
  for (int i = 0; i < 8; ++i) bits |= ((space_bytes(load8(p + 8 * i)) >> 7) * 0x0102040810204080 >> 56) << (8 * i);
  return bits;
}

// The low n bytes of a word's first and second eight bytes, n = 0 … 16.
struct ByteMasks {
  std::array<uint64_t, 17> first{}, second{};
  constexpr ByteMasks() {
    for (size_t n = 1; n <= 16; ++n) {
      first[n] = ~uint64_t{0} >> (64 - 8 * std::min<size_t>(n, 8));
      second[n] = n > 8 ? ~uint64_t{0} >> (64 - 8 * (n - 8)) : 0;
    }
  }
};
constexpr ByteMasks kMasks;

uint64_t hash_word(const char* word, size_t length) {
  uint64_t h = 0;
  for (; length > 16; word += 8, length -= 8) h = (std::rotl(h, 27) ^ load8(word)) * kWordMul, h ^= h >> 29;
  h ^= (load8(word) & kMasks.first[length]) * kWordMul ^
       std::rotl((load8(word + 8) & kMasks.second[length]) * kPoly, 32);
  h ^= h >> 32;
  return h * kMixMul;
}

// Word bounds come from a bit mask of the spaces, 64 bytes at a time, so that no load waits for the length of the word
// before it. Reads up to 64 bytes behind `length` (Normalized::kPadding).
void hash_words(const char* text, size_t length, std::vector<uint64_t>& words) {
  words.resize(length / 2 + 2);
  uint64_t* out = words.data();
  size_t begin = 0;
  uint64_t space_before = 1;  // whether the byte before the block is a space
  for (size_t block = 0; block <= length; block += 64) {
    uint64_t spaces = space_bits(text + block), shifted = spaces << 1 | space_before;
    uint64_t begins = ~spaces & shifted, ends = spaces & ~shifted;
    space_before = spaces >> 63;
    for (; ends; ends &= ends - 1) {
      size_t end = block + static_cast<size_t>(std::countr_zero(ends));
      if (begins &&
          static_cast<size_t>(std::countr_zero(begins)) + block < end) {  // false: it began in an earlier block
        begin = block + static_cast<size_t>(std::countr_zero(begins));
        begins &= begins - 1;
      }
      *out++ = hash_word(text + begin, end - begin);
    }
    if (begins) begin = block + static_cast<size_t>(std::countr_zero(begins));
  }
  words.resize(static_cast<size_t>(out - words.data()));
}

uint64_t polynomial(const uint64_t* words, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum = sum * kPoly + words[i];
  return sum;
}

ExactKey exact_key(const std::vector<uint64_t>& words, uint64_t digits_hash, std::string_view text) {
  XXH128_hash_t h = words.empty() ? XXH3_128bits(text.data(), text.size())
                                  : XXH3_128bits_withSeed(words.data(), words.size() * 8, mix(digits_hash) | 1);
  return {h.low64, h.high64};
}

}  // namespace

void Shingler::run(std::string_view text, Shingles& out) const {
  normalize(text, table_, out.normalized);
  hash_words(out.normalized.text.data(), out.normalized.length, out.words);
  out.exact = exact_key(out.words, out.normalized.digits_hash, text);
  const auto& words = out.words;
  size_t n = static_cast<size_t>(ngram_);
  if (words.size() <= n) {
    out.hashes.assign(words.empty() ? 0 : 1, mix(polynomial(words.data(), words.size())));
    return;
  }
  uint64_t top = 1;  // kPoly^n: takes the word that leaves the window out of the rolling sum
  for (size_t i = 0; i < n; ++i) top *= kPoly;
  out.hashes.resize(words.size() - n + 1);
  uint64_t sum = polynomial(words.data(), n);
  out.hashes[0] = mix(sum);
  for (size_t i = n; i < words.size(); ++i) {
    sum = sum * kPoly + words[i] - words[i - n] * top;
    out.hashes[i - n + 1] = mix(sum);
  }
}

void make_set(std::vector<uint64_t>& hashes) {
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
}

double jaccard(const uint64_t* a, size_t a_size, const uint64_t* b, size_t b_size) {
  if (a_size + b_size == 0) return 0;
  size_t i = 0, j = 0, common = 0;
  while (i < a_size && j < b_size) {
    uint64_t x = a[i], y = b[j];
    common += x == y;
    i += x <= y;
    j += y <= x;
  }
  return static_cast<double>(common) / static_cast<double>(a_size + b_size - common);
}

}  // namespace llmkit::dedup
