// Encodings of frequent pieces, so that a word is merged once: a table of 32-byte entries for pieces up to 15 bytes and
// four ids, two to a set, and one of 64-byte entries for pieces up to 39 bytes and six ids. The key is the piece
// itself. A collision overwrites; the result never depends on the content.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace llmkit::tokenizer {

// Up to fifteen bytes and their number.
struct WordKey {
  uint64_t low = 0, high = 0;
  bool operator==(const WordKey& other) const { return ((low ^ other.low) | (high ^ other.high)) == 0; }
  uint64_t hash() const { return (low ^ std::rotl(high * 0x9E3779B97F4A7C15, 29)) * 0xD6E8FEB86659FD93; }
};

// 2^Bits sets of two entries, each with a `key`.
template <class Entry, int Bits>
class EntrySets {
 public:
  // The entry of the key, if there is one; else any.
  const Entry& look(const WordKey& key) const {
    const Set& set = sets_[key.hash() >> (64 - Bits)];
    return set.entries[set.entries[1].key == key];
  }
  // Where a new key goes. What came first is often what comes most, and gives way only now and then.
  Entry& room(const WordKey& key) {
    Set& set = sets_[key.hash() >> (64 - Bits)];
    if (set.entries[0].key == WordKey{} || set.entries[0].key == key) return set.entries[0];
    if (++taken_ % 8 == 0) set.entries[0] = set.entries[1];
    return set.entries[1];
  }

 private:
  struct alignas(64) Set {
    Entry entries[2];
  };
  std::vector<Set> sets_ = std::vector<Set>(size_t{1} << Bits);
  uint32_t taken_ = 0;
};

class WordCache {
 public:
  static constexpr size_t kMaxBytes = 15, kMaxIds = 4;
  static constexpr size_t kMaxLongBytes = 39, kMaxLongIds = 6;

  using Key = WordKey;
  struct Entry {
    Key key;  // no piece has length 0
    int32_t ids[kMaxIds];
    // At least one id; unused ones are negative.
    size_t count() const { return size_t{1} + (ids[1] >= 0) + (ids[2] >= 0) + (ids[3] >= 0); }
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

  // `size` in 1…kMaxBytes; `readable`: bytes from `bytes` on that may be read.
  static Key key_of(const char* bytes, size_t size, size_t readable) {
    uint64_t words[2] = {0, 0};
    if (readable >= 16) {
      std::memcpy(words, bytes, 16);
      uint64_t mask = ~uint64_t{0} >> ((64 - size * 8) & 63);
      words[0] &= size < 8 ? mask : ~uint64_t{0};
      words[1] &= size < 9 ? 0 : mask;
    } else {
      std::memcpy(words, bytes, size);
    }
    return {words[0], words[1] | uint64_t{size} << 56};
  }

  // The entry of the key, if there is one; else any.
  const Entry& look(const Key& key) const { return entries_.look(key); }
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
  EntrySets<Entry, 16> entries_;
  std::vector<LongEntry> long_entries_;
};

}  // namespace llmkit::tokenizer
