// Counts the distinct pieces of a corpus: all that a trainer needs of it, in memory that follows the number of distinct
// pieces and not the size of the corpus. Each call counts in a small table of its own and adds it to shared shards;
// sums do not depend on the order, so the result is the same for any thread count. Beyond a bound of memory the shards
// are written to disk as sorted runs, which are merged when the words are read: the counts stay exact.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/word_runs.h"

namespace llmkit::tokenizer {

class WordCounter {
 public:
  // Of a word, beside its bytes: a table is between a third and two thirds full.
  static constexpr double kBytesOfWord = 50;
  // `memory_bytes` = 0: no bound.
  explicit WordCounter(const PreTokenizer& pretokenizer, uint64_t memory_bytes = 0);
  ~WordCounter();

  void add(std::span<const std::string_view> texts);    // on this thread; any number of threads may
  void add(Parallel& parallel, std::string_view text);  // one large text, cut into tiles
  void add_word(std::string_view word, uint64_t count);
  bool full() const { return memory_limit_ > 0 && memory_bytes() > memory_limit_; }
  void make_room();  // if it is full: writes a run; called between batches
  void spill();      // writes what is in memory as a run

  // The pieces in an order that depends on nothing but the pieces; valid until the next add. Only without runs.
  std::vector<CountedWord> words() const;
  // Every piece once, from the runs and from memory (which becomes a run first, if there are any).
  void for_words(const std::function<void(const CountedWord&)>& f);
  // The same, in the same order, and gives the memory of what has been given back; pieces() and bytes_seen() stay.
  void take_words(const std::function<void(const CountedWord&)>& f);
  void clear();                              // forgets the words, not pieces() and bytes_seen()
  std::array<bool, 256> bytes_seen() const;  // which bytes any word has
  // What a BPE training of the words in memory needs, together with them.
  uint64_t training_bytes() const;
  bool spilled() const { return runs_ != nullptr; }
  uint64_t runs_bytes() const { return runs_ ? runs_->bytes() : 0; }
  struct Held {
    uint64_t words = 0, bytes = 0;  // distinct, and their letters
  };
  Held held() const;              // in memory
  uint64_t pieces() const;        // with repetitions
  uint64_t memory_bytes() const;  // of the tables

 private:
  class TileTable;
  struct Slot {
    uint64_t count = 0;  // 0: empty
    uint64_t offset = 0;
    uint32_t size = 0, tag = 0;  // tag: the low half of the hash
  };
  struct Shard {
    mutable std::mutex mutex;
    std::vector<Slot> slots = std::vector<Slot>(64);
    size_t used = 0;
    std::string bytes;
    void prefetch(uint64_t hash) const { __builtin_prefetch(&slots[hash & UINT32_MAX & (slots.size() - 1)]); }
    void add(uint64_t hash, std::string_view word, uint64_t count);
    void grow();
    std::vector<CountedWord> filled() const;
    void see(std::array<bool, 256>& seen) const;
    void clear();
  };
  static constexpr size_t kShards = 64;

  const PreTokenizer& pretokenizer_;
  uint64_t memory_limit_;
  std::vector<Shard> shards_;
  std::mutex tables_mutex_;
  std::vector<std::unique_ptr<TileTable>> tables_;  // that no thread fills now
  std::unique_ptr<WordRuns> runs_;
  uint64_t gone_pieces_ = 0;  // of what is not in memory any more
  std::array<bool, 256> gone_bytes_{};
};

}  // namespace llmkit::tokenizer
