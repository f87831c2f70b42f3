// XXH3 (xxHash 0.8): checksums, cache keys, the base hash of MinHash. Not a cryptographic hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace llmkit {

struct Hash128 {
  uint64_t high = 0, low = 0;
  auto operator<=>(const Hash128&) const = default;
};

uint64_t xxh3_64(std::span<const std::byte> bytes, uint64_t seed = 0);
uint64_t xxh3_64(std::string_view text, uint64_t seed = 0);
Hash128 xxh3_128(std::span<const std::byte> bytes, uint64_t seed = 0);
Hash128 xxh3_128(std::string_view text, uint64_t seed = 0);

// The same hash over bytes that come in pieces.
class Xxh3 {
 public:
  Xxh3();
  ~Xxh3();
  Xxh3(Xxh3&&) noexcept;
  Xxh3& operator=(Xxh3&&) noexcept;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  uint64_t digest64() const;
  Hash128 digest128() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string hex(uint64_t value);        // 16 digits
std::string hex(const Hash128& value);  // 32 digits

}  // namespace llmkit
