// The head of a .tok file; token_shards.h describes it. Internal to lib/formats.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/hash.h"

namespace llmkit::formats {

static_assert(std::endian::native == std::endian::little, "token shards are written as they lie in memory");

struct TokHead {
  char magic[8] = {'L', 'L', 'M', 'K', 'T', 'O', 'K', '1'};
  uint32_t bytes_per_token = 0;
  uint32_t reserved = 0;
  uint64_t tokens = 0;
  uint64_t documents = 0;
  uint64_t vocab_size = 0;
  uint64_t tokenizer_hash = 0;
  uint64_t payload_hash = 0;
  uint64_t head_hash = 0;  // of the bytes before it

  uint64_t own_hash() const { return xxh3_64({reinterpret_cast<const char*>(this), offsetof(TokHead, head_hash)}); }
};
static_assert(sizeof(TokHead) == 64);

inline uint32_t bytes_per_token_for(int64_t vocab_size) {
  return vocab_size <= 65536 ? 2 : 4;
}
inline uint64_t padded_to_8(uint64_t bytes) {
  return (bytes + 7) / 8 * 8;
}

}  // namespace llmkit::formats
