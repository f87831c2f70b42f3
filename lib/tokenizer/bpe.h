// Byte-pair encoding of one piece: starting from its symbols, the adjacent pair of lowest rank is merged, the leftmost
// of equals first, until no pair is in the table (Sennrich, Haddow, Birch, "Neural machine translation of rare words
// with subword units", 2016). Short pieces: repeated scan for the minimum; long ones: a heap over a linked list, O(n
// log n).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace llmkit::tokenizer {

struct Merge {
  int32_t left, right, result;
  bool operator==(const Merge&) const = default;
};

class BpeMerger {
 public:
  // Rank = index; of a pair named twice the later entry counts, as in Hugging Face's reader.
  explicit BpeMerger(std::span<const Merge> merges = {});

  // Working memory of merge(); one a thread.
  struct Scratch {
    std::vector<uint32_t> ranks;
    std::vector<int32_t> previous, next;
    std::vector<uint64_t> heap;
  };

  // Replaces symbols[from…] by their encoding.
  void merge(std::vector<int32_t>& symbols, size_t from, Scratch& scratch) const;

 private:
  static constexpr uint32_t kNoRank = UINT32_MAX;
  static constexpr size_t kShortPiece = 40;  // measured: above it the heap is faster

  struct Slot {
    uint64_t pair = 0;
    uint32_t rank = kNoRank;
    int32_t result = -1;
  };
  static uint64_t pair_of(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  // The slot of the pair, or the empty one (rank kNoRank) where it would go.
  size_t slot_of(uint64_t pair) const {
    uint64_t hash = pair * 0x9E3779B97F4A7C15;
    for (uint64_t i = (hash ^ hash >> 32) & mask_;; i = (i + 1) & mask_)
      if (slots_[i].rank == kNoRank || slots_[i].pair == pair) return i;
  }
  const Slot& find(int32_t left, int32_t right) const { return slots_[slot_of(pair_of(left, right))]; }
  size_t merge_short(int32_t* symbols, size_t count, Scratch& scratch) const;
  size_t merge_long(int32_t* symbols, size_t count, Scratch& scratch) const;

  std::vector<Slot> slots_;
  uint64_t mask_ = 0;
};

}  // namespace llmkit::tokenizer
