// The working set of a BPE training: words as symbols, exact counts of the frequent pairs in them, and where they
// stand.
//
// Only pairs of at least a threshold are tabled and have lists of their words; index(threshold) finds them in two
// passes over the words, the first into a small sketch of hashed counts (Cormode and Muthukrishnan, "The count-min
// sketch", 2005) that lets the second table few others. That loses nothing: a pair's count falls after the merge that
// made its younger symbol, so that a pair below the threshold stays below, and a new pair is counted when it comes up.
// When the best pair falls below the threshold, the caller indexes again with a lower one. The many rare pairs, which
// never become merges, so cost neither memory nor time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace llmkit::tokenizer {

inline uint64_t pair_key(uint32_t left, uint32_t right) {
  return uint64_t{left} << 32 | right;
}
inline uint32_t pair_left(uint64_t pair) {
  return static_cast<uint32_t>(pair >> 32);
}
inline uint32_t pair_right(uint64_t pair) {
  return static_cast<uint32_t>(pair);
}

inline uint64_t pair_hash(uint64_t pair) {
  pair *= 0x9E3779B97F4A7C15;
  return pair ^ pair >> 32;
}

// Sums of the counts of pairs by hash: never below the true count of a pair.
class PairSketch {
 public:
  explicit PairSketch(size_t slots) : sums_(slots) {}  // a power of two
  void add(uint64_t pair, uint64_t count) { sums_[pair_hash(pair) & (sums_.size() - 1)] += count; }
  // The same from many threads at once. A negative count takes back what was added before.
  void add_shared(uint64_t pair, uint64_t count) {
    std::atomic_ref(sums_[pair_hash(pair) & (sums_.size() - 1)]).fetch_add(count, std::memory_order_relaxed);
  }
  uint64_t bound(uint64_t pair) const { return sums_[pair_hash(pair) & (sums_.size() - 1)]; }
  std::span<const uint64_t> sums() const { return sums_; }
  uint64_t largest() const { return *std::max_element(sums_.begin(), sums_.end()); }

 private:
  std::vector<uint64_t> sums_;
};

// A set of pairs that may hold others too, but small enough for the cache.
class PairFilter {
 public:
  PairFilter() : bits_(kBits / 64) {}
  void add(uint64_t pair) { bits_[at(pair) / 64] |= uint64_t{1} << at(pair) % 64; }
  bool may_have(uint64_t pair) const { return bits_[at(pair) / 64] >> at(pair) % 64 & 1; }

 private:
  static constexpr size_t kBits = size_t{1} << 21;
  static size_t at(uint64_t pair) { return pair_hash(pair) & (kBits - 1); }
  std::vector<uint64_t> bits_;
};

// Whether a pair's bound in a sketch reaches a threshold: most that do not are told apart in the cache.
class PairSketchFilter {
 public:
  PairSketchFilter(const PairSketch& sketch, uint64_t threshold) : sketch_(sketch), threshold_(threshold) {
    auto sums = sketch.sums();
    for (size_t i = 0; i < sums.size(); ++i)
      if (sums[i] >= threshold) bits_[i % kBits / 64] |= uint64_t{1} << i % 64;
  }
  bool has(uint64_t pair) const {
    size_t at = pair_hash(pair) & (std::min(kBits, sketch_.sums().size()) - 1);
    return (bits_[at / 64] >> at % 64 & 1) && sketch_.bound(pair) >= threshold_;
  }

 private:
  static constexpr size_t kBits = size_t{1} << 21;
  const PairSketch& sketch_;
  uint64_t threshold_;
  std::vector<uint64_t> bits_ = std::vector<uint64_t>(kBits / 64);
};

// Count and list of every tabled pair; open addressing.
class PairTable {
 public:
  struct Slot {
    uint64_t pair = kEmpty;
    int64_t count = 0;
    int32_t list = -1;
  };

  PairTable() : slots_(1 << 12) {}
  Slot& at(uint64_t pair);    // made where there is none; valid until the next call
  Slot* find(uint64_t pair);  // nullptr where there is none
  std::span<Slot> slots() { return slots_; }
  size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

  static constexpr uint64_t kEmpty = UINT64_MAX;

 private:
  size_t hash(uint64_t pair) const { return pair_hash(pair) & (slots_.size() - 1); }
  void grow();
  std::vector<Slot> slots_;
  size_t used_ = 0;
};

class PairMerger {
 public:
  // Pairs of two symbols below `alphabet` always count; others only when they make less than `max_size` together, as
  // in Hugging Face's trainer. `sizes[symbol]` grows with the vocabulary.
  PairMerger(const std::vector<int64_t>& sizes, size_t alphabet, int64_t max_size)
      : sizes_(sizes), alphabet_(alphabet), max_size_(max_size) {}

  void reserve(size_t words, size_t symbols) { arena_.reserve(words * kHead + symbols); }
  void add_word(std::span<const int32_t> symbols, uint64_t count);
  void clear_words();
  uint64_t memory_bytes() const;
  bool stale() const { return stale_; }
  static uint64_t bytes_of_word(size_t symbols) { return (symbols * 2 + kHead) * 4; }  // with its places in lists

  // Tables the pairs from a new threshold on, at least `floor`; lower than before if next() has given them all.
  void index(uint64_t floor);
  // Whether, next() having given none, there is no other pair of at least `floor` either.
  bool exhausted(uint64_t floor) const { return !stale_ && threshold_ > 0 && threshold_ <= floor; }

  // The most frequent pair, of equals the smaller; false when none of at least the threshold is left.
  bool next(uint64_t& pair, uint64_t& count);
  // Replaces the pair that next() gave. When the result is not `fresh`, but has been a symbol before, counts of its
  // pairs may have grown beyond the threshold unseen: next() gives no more before the next index().
  void merge(uint64_t pair, int32_t result, bool fresh);

  // A pair that was merged elsewhere, in words that are not here.
  void note_merged(uint64_t pair, uint64_t count) { merged_[pair] = {static_cast<int64_t>(count), false}; }
  bool counts_pair(uint32_t a, uint32_t b) const {
    return (a < alphabet_ && b < alphabet_) || sizes_[a] + sizes_[b] < max_size_;
  }

 private:
  // A word in the arena: its count (low, high), the room it has, its symbols, kEnd.
  static constexpr size_t kFirst = 3, kHead = kFirst + 1;
  static constexpr uint32_t kEnd = UINT32_MAX;

  struct Candidate {
    uint64_t count, pair;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };
  // What a pair that was merged before still counts: Hugging Face does not take a merged pair's count back.
  struct Merged {
    int64_t count;
    bool queued;  // it came up again since
  };
  struct Neighbour {
    uint32_t symbol, word;
  };

  uint64_t count_at(size_t at) const { return uint64_t{arena_[at + 1]} << 32 | arena_[at]; }
  template <class F>
  void for_pairs(F&& f);
  void push(uint64_t pair, uint64_t count);
  void merge_word(size_t at, uint32_t left, uint32_t right, uint32_t result);
  void change(uint32_t a, uint32_t b, int64_t count, size_t word, uint32_t result);
  void table_neighbours(std::vector<Neighbour>& found, std::vector<int64_t>& counts, uint32_t result, bool at_left);

  const std::vector<int64_t>& sizes_;
  size_t alphabet_;
  int64_t max_size_;
  uint64_t threshold_ = 0;
  bool stale_ = false;  // a merge has left pairs unseen
  std::vector<uint32_t> arena_;
  PairTable table_;
  PairFilter tabled_;  // what table_ has
  std::vector<std::vector<uint32_t>> lists_;
  std::vector<Candidate> queue_;
  std::unordered_map<uint64_t, Merged> merged_;
  std::unordered_set<uint32_t> reused_;  // symbols that were made a second way
  // Of the symbol just made: neighbours on either side, with counts by symbol.
  std::vector<Neighbour> lefts_, rights_;
  std::vector<int64_t> left_counts_, right_counts_;
  std::vector<uint32_t> current_;
};

}  // namespace llmkit::tokenizer
