// Counts of pairs of neighbouring symbols: bounds of all in a sketch, exact ones of few in a table.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

namespace llmkit::tokenizer {

inline uint64_t pair_key(uint32_t left, uint32_t right) {
  return uint64_t{left} << 32 | right;
}
inline uint32_t pair_left(uint64_t pair) {
  return static_cast<uint32_t>(pair >> 32);
}
inline uint32_t pair_right(uint64_t pair) {
  return static_cast<uint32_t>(pair);
}

inline uint64_t pair_hash(uint64_t pair) {
  pair *= 0x9E3779B97F4A7C15;
  return pair ^ pair >> 32;
}

// Sums of the counts of pairs by hash: never below the true count of a pair (Cormode and Muthukrishnan, "The count-min
// sketch", 2005).
class PairSketch {
 public:
  explicit PairSketch(size_t slots) : sums_(slots) {}  // a power of two
  void add(uint64_t pair, uint64_t count) { sums_[pair_hash(pair) & (sums_.size() - 1)] += count; }
  // The same from many threads at once. A negative count takes back what was added before.
  void add_shared(uint64_t pair, uint64_t count) {
    std::atomic_ref(sums_[pair_hash(pair) & (sums_.size() - 1)]).fetch_add(count, std::memory_order_relaxed);
  }
  uint64_t bound(uint64_t pair) const { return sums_[pair_hash(pair) & (sums_.size() - 1)]; }
  std::span<const uint64_t> sums() const { return sums_; }
  uint64_t largest() const { return *std::max_element(sums_.begin(), sums_.end()); }

 private:
  std::vector<uint64_t> sums_;
};

// A set of pairs that may hold others too, but small enough for the cache.
class PairFilter {
 public:
  PairFilter() : bits_(kBits / 64) {}
  void add(uint64_t pair) { bits_[at(pair) / 64] |= uint64_t{1} << at(pair) % 64; }
  bool may_have(uint64_t pair) const { return bits_[at(pair) / 64] >> at(pair) % 64 & 1; }

 private:
  static constexpr size_t kBits = size_t{1} << 21;
  static size_t at(uint64_t pair) { return pair_hash(pair) & (kBits - 1); }
  std::vector<uint64_t> bits_;
};

// Whether a pair's bound in a sketch reaches a threshold: most that do not are told apart in the cache.
class PairSketchFilter {
 public:
  PairSketchFilter(const PairSketch& sketch, uint64_t threshold) : sketch_(sketch), threshold_(threshold) {
    auto sums = sketch.sums();
    for (size_t i = 0; i < sums.size(); ++i)
      if (sums[i] >= threshold) bits_[i % kBits / 64] |= uint64_t{1} << i % 64;
  }
  bool has(uint64_t pair) const {
    size_t at = pair_hash(pair) & (std::min(kBits, sketch_.sums().size()) - 1);
    return (bits_[at / 64] >> at % 64 & 1) && sketch_.bound(pair) >= threshold_;
  }

 private:
  static constexpr size_t kBits = size_t{1} << 21;
  const PairSketch& sketch_;
  uint64_t threshold_;
  std::vector<uint64_t> bits_ = std::vector<uint64_t>(kBits / 64);
};

// Count and list of every tabled pair; open addressing.
class PairTable {
 public:
  struct Slot {
    uint64_t pair = kEmpty;
    int64_t count = 0;
    int64_t list = -1;
  };

  PairTable() : slots_(1 << 12) {}
  Slot& at(uint64_t pair);    // made where there is none; valid until the next call
  Slot* find(uint64_t pair);  // nullptr where there is none
  const Slot* find(uint64_t pair) const { return const_cast<PairTable*>(this)->find(pair); }
  std::span<Slot> slots() { return slots_; }
  size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

  static constexpr uint64_t kEmpty = UINT64_MAX;

 private:
  size_t hash(uint64_t pair) const { return pair_hash(pair) & (slots_.size() - 1); }
  void grow();
  std::vector<Slot> slots_;
  size_t used_ = 0;
};

}  // namespace llmkit::tokenizer
