// Byte-pair encoding of one piece: starting from its symbols, the adjacent pair of lowest rank is merged, the leftmost
// of equals first, until no pair is in the table (Sennrich, Haddow, Birch, "Neural machine translation of rare words
// with subword units", 2016). Short pieces: repeated scan for the minimum; long ones: a heap over a linked list, O(n
// log n).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"

namespace llmkit::tokenizer {

struct Merge {
  int32_t left, right, result;
  bool operator==(const Merge&) const = default;
};

class BpeMerger {
 public:
  static constexpr uint32_t kNoRank = UINT32_MAX;

  // Rank = index, or ranks[index] (equal ranks: the leftmost pair first); of a pair named twice the later entry counts,
  // as in Hugging Face's reader.
  explicit BpeMerger(std::span<const Merge> merges = {}, std::span<const uint32_t> ranks = {});

  // Working memory of merge(); one a thread.
  struct Scratch {
    std::vector<uint32_t> ranks;
    std::vector<int32_t> previous, next;
    std::vector<uint64_t> heap, passed_over;
  };

  // Replaces symbols[from…] by their encoding.
  void merge(std::vector<int32_t>& symbols, size_t from, Scratch& scratch) const;
  // The same, but each time a merge is looked for, each candidate is passed over with probability `dropout` (Provilkov,
  // Emelianenko, Voita, "BPE-dropout: simple and effective subword regularization", 2020).
  void merge(std::vector<int32_t>& symbols, size_t from, Scratch& scratch, double dropout, Rng& rng) const;

  struct Slot {
    uint64_t pair = 0;
    uint32_t rank = kNoRank;
    int32_t result = -1;
  };
  // rank kNoRank: there is no merge of the two.
  const Slot& find(int32_t left, int32_t right) const { return slots_[slot_of(pair_of(left, right))]; }
  static uint64_t hash_of(int32_t left, int32_t right) {
    uint64_t hash = pair_of(left, right) * 0x9E3779B97F4A7C15;
    return hash ^ hash >> 32;
  }

 private:
  static constexpr size_t kShortPiece = 40;  // measured: above it the heap is faster

  static uint64_t pair_of(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  // The slot of the pair, or the empty one (rank kNoRank) where it would go.
  size_t slot_of(uint64_t pair) const {
    uint64_t hash = pair * 0x9E3779B97F4A7C15;
    for (uint64_t i = (hash ^ hash >> 32) & mask_;; i = (i + 1) & mask_)
      if (slots_[i].rank == kNoRank || slots_[i].pair == pair) return i;
  }
  size_t merge_short(int32_t* symbols, size_t count, Scratch& scratch) const;
  size_t merge_long(int32_t* symbols, size_t count, Scratch& scratch, double dropout = 0, Rng* rng = nullptr) const;

  std::vector<Slot> slots_;
  uint64_t mask_ = 0;
};

}  // namespace llmkit::tokenizer
