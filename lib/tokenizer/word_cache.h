// Encodings of frequent pieces, so that a word is merged once: a table of 32-byte entries for pieces up to 15 bytes and
// four ids, and one of 64-byte entries for pieces up to 39 bytes and six ids. The key is the piece
// itself. A collision overwrites; the result never depends on the content. The first table begins with 1 MB and grows
// to 16 with the number of distinct words.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "tokenizer/entry_sets.h"

namespace llmkit::tokenizer {

// How many of four ids are not negative: at least one, and none behind a negative one.
#if defined(__SSE2__)
inline size_t count_of(const int32_t (&ids)[4]) {
  __m128 all = _mm_loadu_ps(reinterpret_cast<const float*>(ids));
  return static_cast<size_t>(std::countr_zero(static_cast<uint32_t>(_mm_movemask_ps(all)) | 0x10));
}
#else
inline size_t count_of(const int32_t (&ids)[4]) {
  return size_t{1} + (ids[1] >= 0) + (ids[2] >= 0) + (ids[3] >= 0);
}
#endif

class WordCache {
 public:
  static constexpr size_t kMaxBytes = 15, kMaxIds = 4;
  static constexpr size_t kMaxLongBytes = 39, kMaxLongIds = 6;

  using Key = WordKey;
  struct Entry {
    Key key;  // no piece has length 0
    int32_t ids[kMaxIds];
    size_t count() const { return count_of(ids); }
  };
  struct alignas(64) LongEntry {
    char bytes[kMaxLongBytes];
    uint8_t size = 0;
    int32_t ids[kMaxLongIds];
    size_t count() const {
      size_t n = 1;
      while (n < kMaxLongIds && ids[n] >= 0) ++n;
      return n;
    }
    bool is(const char* piece, size_t length) const { return size == length && std::memcmp(bytes, piece, length) == 0; }
  };

  WordCache() : long_entries_(size_t{1} << kLongBits) {}

  // The key of a part of a piece, where parts may have other ids than pieces of the same bytes.
  static Key part_key(Key key) { return {key.low, key.high | uint64_t{0x80} << 56}; }

  // The entry of the key, if there is one; else any.
  const Entry& look(const Key& key) const { return entries_.look(key); }
  // Where the entry of the key is, if there is one; until the cache grows.
  using Set = EntrySets<Entry>::Set;
  const Set& set_of(const Key& key) const { return entries_.set_of(key); }
  void grow_if_wanted() { entries_.grow_if_wanted(); }
  static uint64_t hash_of(const char* bytes, size_t size) {
    uint64_t first, middle, last;  // size ≥ 8: three words that cover most pieces and overlap in short ones
    std::memcpy(&first, bytes, 8);
    std::memcpy(&middle, bytes + size / 2 - 4, 8);
    std::memcpy(&last, bytes + size - 8, 8);
    uint64_t h = (first ^ std::rotl(middle * 0x9E3779B97F4A7C15, 29)) * 0xD6E8FEB86659FD93;
    return (h ^ std::rotl(last, 17) ^ size) * 0x9E3779B97F4A7C15;
  }
  LongEntry& slot(const char* bytes, size_t size) { return long_entries_[hash_of(bytes, size) >> (64 - kLongBits)]; }

  void store(const Key& key, std::span<const int32_t> ids) {
    if (ids.empty() || ids.size() > kMaxIds) return;
    Entry& entry = entries_.room(key);
    entry.key = key;
    for (size_t i = 0; i < kMaxIds; ++i) entry.ids[i] = i < ids.size() ? ids[i] : -1;
  }
  static void store(LongEntry& entry, const char* bytes, size_t size, std::span<const int32_t> ids) {
    if (ids.empty() || ids.size() > kMaxLongIds) return;
    entry.size = static_cast<uint8_t>(size);
    std::memcpy(entry.bytes, bytes, size);
    for (size_t i = 0; i < kMaxLongIds; ++i) entry.ids[i] = i < ids.size() ? ids[i] : -1;
  }

 private:
  static constexpr int kLongBits = 14;
  EntrySets<Entry> entries_{14, 18};
  std::vector<LongEntry> long_entries_;
};

}  // namespace llmkit::tokenizer
