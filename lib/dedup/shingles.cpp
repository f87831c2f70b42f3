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

// Eight bytes at a time; a word of up to seven bytes, which most are, takes one step and no loop.
void hash_words(const char* at, const char* end, std::vector<uint64_t>& words) {
  words.resize(static_cast<size_t>(end - at) / 2 + 1);
  uint64_t* out = words.data();
  while (at < end) {
    uint64_t h = 0;
    for (;;) {
      uint64_t x = load8(at), spaces = space_bytes(x);
      if (spaces) {
        int bytes = std::countr_zero(spaces) / 8;
        at += bytes + 1;
        x &= (uint64_t{1} << (8 * bytes)) - 1;
        if (!(h | x)) break;  // two separators in a row
        h = (h ^ x) * kWordMul;
        h ^= h >> 32;
        *out++ = h * kMixMul;
        break;
      }
      at += 8;
      h = (std::rotl(h, 27) ^ x) * kWordMul;
      h ^= h >> 29;
    }
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
  hash_words(out.normalized.text.data(), out.normalized.text.data() + out.normalized.length, out.words);
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
