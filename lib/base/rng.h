// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// A number is a pure function of (key, counter), so streams are keyed by what they are for (seed, step, sequence,
// layer, op), never by call order, thread or rank.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>

namespace llmkit {

using PhiloxBlock = std::array<uint32_t, 4>;

inline PhiloxBlock philox(PhiloxBlock counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t a = uint64_t{0xD2511F53} * counter[0];
    uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// Mixes words into one 64-bit key (SplitMix64 finaliser over a running sum): the name of a stream.
inline uint64_t stream_key(std::initializer_list<uint64_t> words) {
  uint64_t h = 0;
  for (uint64_t w : words) {
    h += w + 0x9E3779B97F4A7C15;
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9;
    h = (h ^ (h >> 27)) * 0x94D049BB133111EB;
    h ^= h >> 31;
  }
  return h;
}

// A sequential view of one stream.
class Rng {
 public:
  explicit Rng(uint64_t key, uint64_t position = 0) : key_(key), position_(position) {}
  Rng(std::initializer_list<uint64_t> words) : Rng(stream_key(words)) {}

  uint32_t next_u32() {
    if (position_ / 4 != block_index_ || !filled_) {
      block_index_ = position_ / 4;
      filled_ = true;
      block_ = philox({static_cast<uint32_t>(block_index_), static_cast<uint32_t>(block_index_ >> 32), 0, 0},
                      {static_cast<uint32_t>(key_), static_cast<uint32_t>(key_ >> 32)});
    }
    return block_[position_++ % 4];
  }
  uint64_t next_u64() {
    uint64_t low = next_u32();
    return low | uint64_t{next_u32()} << 32;
  }
  double uniform() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }  // [0, 1)
  // Uniform in [0, n), n > 0, without bias (Lemire, "Fast random integer generation in an interval", 2019).
  uint64_t below(uint64_t n) {
    __extension__ using Wide = unsigned __int128;
    Wide product = static_cast<Wide>(next_u64()) * n;
    if (static_cast<uint64_t>(product) < n) {
      uint64_t threshold = -n % n;
      while (static_cast<uint64_t>(product) < threshold) product = static_cast<Wide>(next_u64()) * n;
    }
    return static_cast<uint64_t>(product >> 64);
  }
  double normal() {  // Box-Muller; one value of the pair, so that the position advances evenly
    double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }
  template <class Range>
  void shuffle(Range& range) {  // Fisher-Yates
    for (uint64_t i = range.size(); i > 1; --i) std::swap(range[i - 1], range[below(i)]);
  }

  uint64_t key() const { return key_; }
  uint64_t position() const { return position_; }  // with the key, the whole state

 private:
  uint64_t key_;
  uint64_t position_;
  uint64_t block_index_ = 0;
  PhiloxBlock block_{};
  bool filled_ = false;
};

}  // namespace llmkit
