// Encodings of frequent parts of sentences, for models that read a text as one sentence with "▁" for its spaces
// (SentencePiece): two tables, one for parts up to 15 bytes, "▁" in front not counted, and eight ids, one
// for up to 47 bytes and sixteen ids. Of a Unigram model an entry holds only up to some size of the sentence's score,
// because float sums round differently in every place. A collision overwrites; the result never depends on the content.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "tokenizer/word_cache.h"

namespace llmkit::tokenizer {

class SentenceCache {
 public:
  static constexpr size_t kMaxBytes = WordCache::kMaxBytes, kMaxIds = 8;
  static constexpr size_t kMaxLongBytes = 47, kMaxLongIds = 16;
  using Key = WordCache::Key;

  struct Score {
    float cost = 0;   // sum of the scores' absolute values
    float limit = 0;  // holds while the sentence's score is not greater
  };
  struct alignas(64) Entry {
    Key key;
    int32_t ids[kMaxIds];
    uint32_t count = 0;
    Score score;
  };
  static_assert(sizeof(Entry) == 64);
  struct alignas(64) LongEntry {
    char bytes[kMaxLongBytes];
    uint8_t size = 0;
    int32_t ids[kMaxLongIds];
    uint32_t count = 0;
    Score score;
    bool is(std::string_view part) const {
      return size == part.size() && std::memcmp(bytes, part.data(), part.size()) == 0;
    }
  };

  SentenceCache() : long_entries_(size_t{1} << kLongBits) {}

  // The key of a part that begins with "▁", from the key of the rest, which is not empty.
  static Key marked(Key key) { return {key.low, key.high | uint64_t{0x80} << 56}; }

  // The entry of the key, if there is one; else any.
  const Entry& look(const Key& key) const { return entries_.look(key); }
  using Set = EntrySets<Entry>::Set;
  const Set& set_of(const Key& key) const { return entries_.set_of(key); }
  void grow_if_wanted() { entries_.grow_if_wanted(); }
  // Where a new one goes.
  Entry& room(const Key& key) { return entries_.room(key); }
  LongEntry& long_slot(std::string_view part) {
    return long_entries_[WordCache::hash_of(part.data(), part.size()) >> (64 - kLongBits)];
  }

 private:
  static constexpr int kLongBits = 13;
  EntrySets<Entry> entries_{15, 17};
  std::vector<LongEntry> long_entries_;
};

}  // namespace llmkit::tokenizer
