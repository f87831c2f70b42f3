// The working set of a BPE training: words as symbols, exact counts of the frequent pairs in them, and where they
// stand.
//
// Only pairs of at least a threshold are tabled and have lists of their words; index(threshold) finds them in three
// passes over the words, the first into a small sketch of hashed counts that lets the second table few others. That
// loses nothing: a pair's count falls after the merge that made its younger symbol, so that a pair below the threshold
// stays below, and a new pair is counted when it comes up. When the best pair falls below the threshold, the caller
// indexes again with a lower one. The many rare pairs, which never become merges, so cost neither memory nor time.
//
// Within a bound of memory the threshold is as low as the lists fit, and rises when new ones need room. A pair whose
// list alone does not fit is merged by going through all words. The words are dealt to as many parts as there are
// threads; counts are sums over the parts, so that the merges do not depend on their number.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/parallel.h"
#include "tokenizer/pair_table.h"
#include "tokenizer/posting_lists.h"
#include "tokenizer/word_store.h"

namespace llmkit::tokenizer {

struct PairMergerStats {
  int passes = 0, scans = 0;  // times that the words were indexed, and gone through for one pair
};

class PairMerger {
 public:
  // Pairs of two symbols below `alphabet` always count; others only when they make less than `max_size` together, as
  // in Hugging Face's trainer. `sizes[symbol]` grows with the vocabulary. `memory_bytes` = 0: no bound; it is for the
  // lists and tables too, so the words should take two thirds at most.
  PairMerger(Parallel& parallel, const std::vector<int64_t>& sizes, size_t alphabet, int64_t max_size,
             uint64_t memory_bytes = 0);

  void add_word(std::span<const int32_t> symbols, uint64_t count);
  void clear_words();
  // f(symbols, count) for every word; they are gone afterwards.
  template <class F>
  void take_words(F&& f);
  uint64_t word_bytes() const;
  bool stale() const { return stale_; }
  const PairMergerStats& stats() const { return stats_; }
  // Of a word of so many symbols, with its places in lists: at most, and measured on the mixed corpus of
  // tests/bench/tokenizer half of it.
  static uint64_t bytes_of_word(size_t symbols) { return symbols * 4 + 4; }

  // Tables the pairs from a new threshold on, at least `floor`; lower than before if next() has given them all.
  void index(uint64_t floor);
  // Whether, next() having given none, there is no other pair of at least `floor` either.
  bool exhausted(uint64_t floor) const { return !stale_ && !spent_ && threshold_ > 0 && threshold_ <= floor; }

  // The most frequent pair, of equals the smaller; false when none of at least the threshold is left.
  bool next(uint64_t& pair, uint64_t& count);
  // Replaces the pair that next() gave. When the result is not `fresh`, but has been a symbol before, counts of its
  // pairs may have grown beyond the threshold unseen: next() gives no more before the next index().
  void merge(uint64_t pair, int32_t result, bool fresh);

  // A pair that was merged elsewhere, in words that are not here.
  void note_merged(uint64_t pair, uint64_t count) { merged_[pair] = {static_cast<int64_t>(count), false}; }
  bool counts_pair(uint32_t a, uint32_t b) const {
    return max_size_ == INT64_MAX || (a < alphabet_ && b < alphabet_) || sizes_[a] + sizes_[b] < max_size_;
  }

 private:
  static constexpr int64_t kNoList = -1, kScan = -2;

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
  // What a merge of (a, b) to r changes for a neighbour: the counts of its pair with r, and with a or b.
  struct Change {
    int64_t made = 0, gone = 0;
    uint64_t places = 0;
  };
  // By neighbour, with those that have any.
  struct Changes {
    std::vector<Change> of;
    std::vector<uint32_t> touched;
    Change& at(uint32_t symbol) {
      Change& change = of[symbol];
      if (change.places++ == 0) touched.push_back(symbol);
      return change;
    }
    void add(Changes& other);  // which is empty afterwards
    void clear();
  };
  struct Part {
    WordStore words;
    PostingLists lists;
    Changes left, right;
  };
  struct NewPair {
    uint64_t pair;
    int64_t count;
    uint64_t places;
    int64_t list;
    bool at_left;
  };
  // Of the pair that is merged: codes of its symbols and of the result.
  struct Codes {
    uint32_t left, right, result;
  };

  template <class F>
  const uint8_t* for_pairs(const uint8_t* p, F&& f) const;
  template <class F>
  void for_parts(bool together, F&& f);
  template <class F>
  void for_places(Part& part, int64_t list, F&& f);
  // pair_index.cpp
  void deal_codes();
  PairSketch compact();
  void count(const PairSketch& sketch, uint64_t threshold, PairTable& counted);
  std::vector<PairTable::Slot> frequent_pairs(uint64_t floor, uint64_t at_most);
  void fit(std::vector<PairTable::Slot>& pairs);
  void put_places();
  uint64_t list_bytes() const;
  uint64_t places_bytes(uint64_t places) const;
  // pair_merger.cpp
  void make_room();
  uint8_t* merge_word(Part& part, uint64_t count, uint8_t* symbols, const Codes& pair) const;
  void gather_new_pairs(uint32_t left, uint32_t right, uint32_t result, bool fresh);
  void table_new_pairs();
  const uint8_t* put_new_places(Part& part, uint64_t address, const uint8_t* symbols, uint32_t result) const;
  void free_list(int64_t list);
  int64_t list_of(uint64_t places);
  void push(uint64_t pair, uint64_t count);

  Parallel& parallel_;
  const std::vector<int64_t>& sizes_;
  size_t alphabet_;
  int64_t max_size_;
  uint64_t memory_bytes_;
  uint64_t lists_limit_ = UINT64_MAX;
  uint64_t threshold_ = 0;
  bool stale_ = false;  // a merge has left pairs unseen
  bool spent_ = false;  // no code is left for a new symbol
  SymbolCodes codes_;
  std::vector<Part> parts_;
  size_t next_part_ = 0;
  PairTable table_;
  PairFilter tabled_;  // what table_ has
  size_t next_list_ = 0;
  std::vector<size_t> free_lists_;
  std::vector<Candidate> queue_;
  std::unordered_map<uint64_t, Merged> merged_;
  std::unordered_set<uint32_t> reused_;  // symbols that were made a second way
  int64_t current_ = kNoList;            // the list of the pair given
  std::vector<NewPair> new_pairs_;
  std::vector<int64_t> left_lists_, right_lists_;  // of new pairs, by the neighbour
  PairMergerStats stats_;
};

template <class F>
void PairMerger::for_parts(bool together, F&& f) {
  if (!together || parts_.size() == 1) {
    for (auto& part : parts_) f(part);
    return;
  }
  parallel_.for_tiles(static_cast<int64_t>(parts_.size()), [&](int64_t i) { f(parts_[static_cast<size_t>(i)]); });
}

// f(left, right) for the neighbours of a word that count as pairs.
template <class F>
const uint8_t* PairMerger::for_pairs(const uint8_t* p, F&& f) const {
  uint32_t code;
  p = SymbolCodes::read(p, code);
  uint32_t before = codes_.symbol(code);
  while (!WordStore::ends(*p)) {
    p = SymbolCodes::read(p, code);
    uint32_t symbol = codes_.symbol(code);
    if (counts_pair(before, symbol)) f(before, symbol);
    before = symbol;
  }
  return p;
}

template <class F>
void PairMerger::take_words(F&& f) {
  std::vector<int32_t> symbols;
  for (auto& part : parts_) {
    part.words.for_words([&](uint64_t, uint64_t count, const uint8_t* p) {
      symbols.clear();
      for (uint32_t code; !WordStore::ends(*p);) {
        p = SymbolCodes::read(p, code);
        symbols.push_back(static_cast<int32_t>(codes_.symbol(code)));
      }
      f(std::span<const int32_t>(symbols), count);
      return p;
    });
    part.words.clear();
  }
  clear_words();
}

}  // namespace llmkit::tokenizer
