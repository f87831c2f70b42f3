// Strings with counts that need not fit memory: added in any order, read by rising bytes, each once with the sum of its
// counts. They go to an unnamed file as sorted runs, which are merged while they are read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/word_runs.h"

namespace llmkit::tokenizer {

class SortedRuns {
 public:
  explicit SortedRuns(uint64_t memory_bytes);
  void add(std::string_view bytes, uint64_t count);
  void finish();  // before it is read, any number of times

  class Reader {
   public:
    explicit Reader(const SortedRuns& runs);
    bool next();
    std::string_view bytes() const { return bytes_; }
    uint64_t count() const { return count_; }

   private:
    struct Head {
      RecordReader records;
      std::string bytes;
      uint64_t count = 0;
      bool next();
    };
    bool later(size_t a, size_t b) const { return heads_[a].bytes > heads_[b].bytes; }
    std::vector<Head> heads_;
    std::vector<size_t> heap_;  // of heads that have a record
    std::string bytes_;
    uint64_t count_ = 0;
  };

 private:
  struct Entry {
    uint64_t key;  // its first eight bytes, the first one highest
    uint64_t offset, count;
    uint32_t size;
  };
  struct Run {
    uint64_t begin, end;
  };
  std::string_view of(const Entry& e) const { return std::string_view(bytes_).substr(e.offset, e.size); }
  void write_run();

  size_t most_entries_, most_bytes_;
  uint64_t memory_bytes_;
  std::vector<Entry> entries_;
  std::string bytes_;
  RecordFile file_;
  std::vector<Run> runs_;
};

}  // namespace llmkit::tokenizer
