#include "tokenizer/word_store.h"

#include <algorithm>

#include "base/error.h"

namespace llmkit::tokenizer {
namespace {

constexpr uint32_t kRoom = 8192;  // codes of two bytes left for new symbols

}  // namespace

uint32_t SymbolCodes::give(uint32_t symbol, uint32_t code) {
  if (code >= 1u << 24)
    throw Error(ErrorParts{"too many symbols", {}, "fewer than 2^24", {}, "is the text made of words?"});
  if (symbol >= codes_.size()) codes_.resize(symbol + 1, kNone);
  if (code >= symbols_.size()) symbols_.resize(code + 1);
  codes_[symbol] = code;
  symbols_[code] = symbol;
  return code;
}

void SymbolCodes::deal(std::span<const uint32_t> symbols) {
  *this = SymbolCodes();
  for (uint32_t symbol : symbols) give(symbol, one_ < kOneByte ? one_++ : two_ < kShort - kRoom ? two_++ : four_++);
}

uint8_t* WordStore::begin_word(size_t most_bytes) {
  if (!has_room(most_bytes)) {
    size_t capacity = std::max(kChunk, most_bytes + 1);
    chunks_.push_back({std::unique_ptr<uint8_t[]>(new uint8_t[capacity]), 0, capacity, 0});
  }
  return chunks_.back().bytes.get() + chunks_.back().size;
}

uint8_t* WordStore::write_count(uint8_t* p, uint64_t count) {
  if (count <= kPad - (kHead + 8u)) {
    *p++ = static_cast<uint8_t>(kHead + 8u + count - 1);
    return p;
  }
  uint8_t* head = p++;
  for (; count > 0; count >>= 8) *p++ = static_cast<uint8_t>(count);
  *head = static_cast<uint8_t>(kHead + (p - head) - 2);
  return p;
}

void WordStore::seal() {
  uint64_t begin = 0;
  for (auto& chunk : chunks_) {
    chunk.bytes[chunk.size] = kEnd;
    chunk.begin = begin;
    begin += chunk.size;
  }
}

uint64_t WordStore::bytes() const {
  uint64_t sum = chunks_.empty() ? 0 : chunks_.back().size;
  for (size_t i = 0; i + 1 < chunks_.size(); ++i) sum += chunks_[i].capacity;
  return sum;
}

}  // namespace llmkit::tokenizer
