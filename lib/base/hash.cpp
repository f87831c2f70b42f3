#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace llmkit {

uint64_t xxh3_64(std::span<const std::byte> bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}
uint64_t xxh3_64(std::string_view text, uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

Hash128 xxh3_128(std::span<const std::byte> bytes, uint64_t seed) {
  XXH128_hash_t h = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {h.high64, h.low64};
}

Hash128 xxh3_128(std::string_view text, uint64_t seed) {
  return xxh3_128(std::as_bytes(std::span(text)), seed);
}

struct Xxh3::State {
  XXH3_state_t xxh;  // wants 64-byte alignment, which operator new gives for over-aligned types
};

Xxh3::Xxh3() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->xxh);
}
Xxh3::~Xxh3() = default;
Xxh3::Xxh3(Xxh3&&) noexcept = default;
Xxh3& Xxh3::operator=(Xxh3&&) noexcept = default;
void Xxh3::update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}
void Xxh3::update(std::string_view text) {
  update(std::as_bytes(std::span(text)));
}
// The two widths share their state and update; only the finish differs.
uint64_t Xxh3::digest64() const {
  return XXH3_64bits_digest(&state_->xxh);
}
Hash128 Xxh3::digest128() const {
  XXH128_hash_t h = XXH3_128bits_digest(&state_->xxh);
  return {h.high64, h.low64};
}

std::string hex(uint64_t value) {
  std::string out(16, '0');
  for (size_t i = 16; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
  return out;
}

std::string hex(const Hash128& value) {
  return hex(value.high) + hex(value.low);
}

}  // namespace llmkit
