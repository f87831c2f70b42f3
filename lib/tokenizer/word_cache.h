// Encodings of short pieces, so that a frequent word is merged once: a direct-mapped table, the key (up to 15 bytes and
// the length) and up to four ids in one 32-byte entry. A collision overwrites; the result never depends on the content.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace llmkit::tokenizer {

class WordCache {
 public:
  static constexpr size_t kMaxBytes = 15;
  static constexpr size_t kMaxIds = 4;

  struct Key {
    uint64_t low, high;
    bool operator==(const Key&) const = default;
  };
  struct Entry {
    Key key{0, 0};  // no piece has length 0
    int32_t ids[kMaxIds];
  };

  WordCache() : entries_(size_t{1} << kBits) {}

  // `size` in 1…kMaxBytes; `readable`: bytes from `bytes` on that may be read.
  static Key key_of(const char* bytes, size_t size, size_t readable) {
    uint64_t words[2] = {0, 0};
    if (readable >= 16) {
      std::memcpy(words, bytes, 16);
      if (size < 8) {
        words[0] &= (uint64_t{1} << size * 8) - 1;
        words[1] = 0;
      } else {
        words[1] &= (uint64_t{1} << (size - 8) * 8) - 1;
      }
    } else {
      std::memcpy(words, bytes, size);
    }
    return {words[0], words[1] | uint64_t{size} << 56};
  }

  Entry& slot(const Key& key) {
    uint64_t h = (key.low ^ key.high * 0x9E3779B97F4A7C15) * 0xD6E8FEB86659FD93;
    return entries_[h >> (64 - kBits)];
  }

  static void store(Entry& entry, const Key& key, std::span<const int32_t> ids) {
    if (ids.size() > kMaxIds) return;
    entry.key = key;
    for (size_t i = 0; i < kMaxIds; ++i) entry.ids[i] = i < ids.size() ? ids[i] : -1;
  }

 private:
  static constexpr int kBits = 15;
  std::vector<Entry> entries_;
};

}  // namespace llmkit::tokenizer
