// A table of what is known of short byte strings, for the caches of the encoder: two entries to a set, a set to one or
// two lines of the processor's cache. What is looked up may have given way to something else.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "kernels/exec.h"

namespace llmkit::tokenizer {

// Up to fifteen bytes and their number.
struct WordKey {
  uint64_t low = 0, high = 0;
  bool operator==(const WordKey& other) const { return ((low ^ other.low) | (high ^ other.high)) == 0; }
  uint64_t hash() const { return (low ^ std::rotl(high * 0x9E3779B97F4A7C15, 29)) * 0xD6E8FEB86659FD93; }
};

// a == b, faster where both have been in memory for some time, slower where not.
#if defined(__SSE2__)
inline bool same_key(const WordKey& a, const WordKey& b) {
  __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&a)),
                                 _mm_loadu_si128(reinterpret_cast<const __m128i*>(&b)));
  return _mm_movemask_epi8(equal) == 0xFFFF;
}
#else
inline bool same_key(const WordKey& a, const WordKey& b) {
  return a == b;
}
#endif

// The bytes of a piece, by its size.
inline constexpr auto kKeyMasks = [] {
  std::array<WordKey, 16> masks{};
  for (size_t size = 1; size < 16; ++size) {
    uint64_t part = ~uint64_t{0} >> ((64 - size * 8) & 63);
    masks[size] = {size < 8 ? part : ~uint64_t{0}, size < 9 ? 0 : part};
  }
  return masks;
}();

// `size` in 1…15, else it is the key of nothing; `readable`: bytes from `bytes` on that may be read.
inline WordKey word_key(const char* bytes, size_t size, size_t readable) {
  uint64_t words[2] = {0, 0};
  if (readable >= 16) {
    std::memcpy(words, bytes, 16);
    const WordKey& mask = kKeyMasks.data()[size % 16];
    words[0] &= mask.low, words[1] &= mask.high;
  } else {
    std::memcpy(words, bytes, size);
  }
  return {words[0], words[1] | uint64_t{size} << 56};
}

// Sets of two entries, each with a `key`, in large pages. There are more of them once many words had to give way.
template <class Entry>
class EntrySets {
 public:
  struct alignas(64) Set {
    Entry entries[2];
    // The entry of the key, if there is one; else any. The second for keys that lie in memory.
    const Entry& look(const WordKey& key) const { return entries[entries[1].key == key]; }
    const Entry& look_for_stored(const WordKey& key) const { return entries[same_key(entries[1].key, key)]; }
  };

  EntrySets(int bits, int most_bits) : most_bits_(most_bits) { allocate(bits); }

  const Set& set_of(const WordKey& key) const { return sets_[key.hash() >> shift_]; }
  const Entry& look(const WordKey& key) const { return set_of(key).look(key); }
  // Where a new key goes. What came first is often what comes most, and gives way only now and then.
  Entry& room(const WordKey& key) {
    Set& set = sets_[key.hash() >> shift_];
    if (set.entries[0].key == WordKey{} || set.entries[0].key == key) return set.entries[0];
    if (!(set.entries[1].key == WordKey{}) && ++taken_ % 8 == 0) set.entries[0] = set.entries[1];
    return set.entries[1];
  }
  // References to sets end here.
  void grow_if_wanted() {
    if (taken_ >= uint32_t{1} << (60 - shift_) && 64 - shift_ < most_bits_) [[unlikely]]
      grow();
  }

 private:
  void allocate(int bits) {
    size_t count = size_t{1} << bits;
    memory_ = kernels::AlignedBuffer(count * sizeof(Set));
    sets_ = static_cast<Set*>(memory_.data());
    std::uninitialized_value_construct_n(sets_, count);
    shift_ = 64 - bits;
    taken_ = 0;
  }
  [[gnu::noinline]] void grow() {
    kernels::AlignedBuffer old = std::move(memory_);
    auto* from = static_cast<const Set*>(old.data());
    size_t count = size_t{1} << (64 - shift_);
    allocate(65 - shift_);
    for (size_t i = 0; i < count; ++i)
      for (const Entry& entry : from[i].entries)
        if (!(entry.key == WordKey{})) room(entry.key) = entry;
  }

  kernels::AlignedBuffer memory_;
  Set* sets_;
  int shift_, most_bits_;
  uint32_t taken_;  // how many entries gave way
};

}  // namespace llmkit::tokenizer
