// Lists of rising addresses, as differences of seven bits a byte, in blocks of a cache line from a common pool.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace llmkit::tokenizer {

class PostingLists {
 public:
  // An address that is the last one already is not put again.
  void put(size_t list, uint64_t address) {
    if (list >= lists_.size()) lists_.resize(list + 1);
    List& l = lists_[list];
    if (address == l.last_address) return;
    uint64_t difference = address - (l.last_address == kNoAddress ? 0 : l.last_address);
    l.last_address = address;
    for (; difference >= 128; difference >>= 7) put_byte(l, static_cast<uint8_t>(difference | 128));
    put_byte(l, static_cast<uint8_t>(difference));
  }
  void free(size_t list);
  uint64_t bytes(size_t list) const { return list < lists_.size() ? lists_[list].blocks * sizeof(Block) : 0; }
  uint64_t bytes() const { return used_ * sizeof(Block) + lists_.capacity() * sizeof(List); }
  void clear();

  template <class F>
  void for_addresses(size_t list, F&& f) const {
    if (list >= lists_.size() || lists_[list].blocks == 0) return;
    const List l = lists_[list];  // f may put addresses to other lists
    const Block* block = &at(l.first);
    uint64_t address = 0, difference = 0;
    int shift = 0;
    for (uint32_t left = l.blocks; left > 0; --left) {
      size_t size = left == 1 ? l.filled : block->bytes.size();
      for (size_t i = 0; i < size; ++i) {
        difference |= uint64_t{block->bytes[i] & 127u} << shift;
        shift += 7;
        if (block->bytes[i] >= 128) continue;
        address += difference;
        difference = 0;
        shift = 0;
        f(address);
      }
      if (left > 1) block = &at(block->next);
    }
  }

 private:
  struct Block {
    uint32_t next;
    std::array<uint8_t, 60> bytes;
  };
  struct List {
    uint64_t last_address = kNoAddress;
    uint32_t first = 0, last = 0, blocks = 0, filled = 0;
  };
  static constexpr uint64_t kNoAddress = UINT64_MAX;
  static constexpr size_t kSlab = 1 << 14;  // blocks

  Block& at(uint32_t block) { return slabs_[block / kSlab][block % kSlab]; }
  const Block& at(uint32_t block) const { return slabs_[block / kSlab][block % kSlab]; }
  void put_byte(List& l, uint8_t byte) {
    if (l.blocks == 0 || l.filled == at(l.last).bytes.size()) add_block(l);
    at(l.last).bytes[l.filled++] = byte;
  }
  void add_block(List& l);

  std::vector<List> lists_;
  std::vector<std::unique_ptr<Block[]>> slabs_;
  std::vector<uint32_t> free_;  // blocks below made_ that no list has
  uint64_t used_ = 0, made_ = 0;
};

}  // namespace llmkit::tokenizer
