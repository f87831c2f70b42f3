// Counts the distinct pieces of a corpus: all that a trainer needs of it, in memory that follows the number of distinct
// pieces and not the size of the corpus. Each call counts in a small table of its own and adds it to shared shards;
// sums do not depend on the order, so the result is the same for any thread count.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "tokenizer/pretokenizer.h"

namespace llmkit::tokenizer {

struct CountedWord {
  std::string_view bytes;
  uint64_t count;
};

class WordCounter {
 public:
  // `memory_bytes` = 0: no bound.
  explicit WordCounter(const PreTokenizer& pretokenizer, uint64_t memory_bytes = 0);

  void add(std::span<const std::string_view> texts);    // on this thread; any number of threads may
  void add(Parallel& parallel, std::string_view text);  // one large text, cut into tiles
  void add_word(std::string_view word, uint64_t count);
  void check_memory() const;  // throws beyond the bound, with what to do about it

  // The pieces in an order that depends on nothing but the pieces; valid until the next add.
  std::vector<CountedWord> words() const;
  uint64_t pieces() const;        // with repetitions
  uint64_t memory_bytes() const;  // of the tables

 private:
  struct Slot {
    uint64_t hash = 0, count = 0;  // count 0: empty
    uint64_t offset = 0, size = 0;
  };
  struct Shard {
    std::mutex mutex;
    std::vector<Slot> slots = std::vector<Slot>(64);
    size_t used = 0;
    std::string bytes;
    void add(uint64_t hash, std::string_view word, uint64_t count);
    void grow();
  };
  static constexpr size_t kShards = 64;

  const PreTokenizer& pretokenizer_;
  uint64_t memory_limit_;
  std::vector<Shard> shards_;
};

}  // namespace llmkit::tokenizer
