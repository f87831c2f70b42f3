// Counted words that did not fit memory: sorted runs in a temporary file, merged when read. The words of a run are cut
// into segments by hash, so that a merge of one segment after the other needs few bytes of each run at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/scratch.h"

namespace llmkit::tokenizer {

struct CountedWord {
  std::string_view bytes;
  uint64_t count;
};

// Records (numbers and bytes) written to an unnamed file and read back from the start, through a buffer.
class RecordFile {
 public:
  explicit RecordFile(const std::string& folder) : file_(folder) {}
  void put_number(uint64_t value) {
    while (value >= 128) {
      buffer_ += static_cast<char>(value | 128);
      value >>= 7;
    }
    buffer_ += static_cast<char>(value);
    if (buffer_.size() >= kBuffer) flush();
  }
  void put_bytes(std::string_view bytes) { buffer_ += bytes; }
  uint64_t size() const { return written_ + buffer_.size(); }
  void flush();
  int fd() const { return file_.fd(); }

 private:
  static constexpr size_t kBuffer = size_t{1} << 20;
  io::TemporaryFile file_;
  std::string buffer_;
  uint64_t written_ = 0;
};

class RecordReader {
 public:
  // The bytes [begin, end) of a flushed file.
  RecordReader(int fd, uint64_t begin, uint64_t end, size_t buffer_bytes)
      : fd_(fd), at_(begin), end_(end), buffer_(buffer_bytes, '\0') {}
  bool done() const { return next_ == filled_ && at_ == end_; }
  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      if (next_ == filled_) fill();
      auto byte = static_cast<unsigned char>(buffer_[next_++]);
      value |= uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
  }
  void bytes(size_t count, std::string& out);

 private:
  void fill();
  int fd_;
  uint64_t at_, end_;
  std::string buffer_;
  size_t next_ = 0, filled_ = 0;
};

class WordRuns {
 public:
  WordRuns(std::string folder, size_t segments) : file_(folder), segments_(segments) {}

  // A run is begun with its first segment; the words of a segment come sorted by the low half of
  // their xxh3_64, of equals by their bytes.
  void begin_run() { runs_.emplace_back(); }
  void write_segment(std::span<const CountedWord> sorted);
  size_t runs() const { return runs_.size(); }
  uint64_t bytes() const { return file_.size(); }

  // Every word once with the sum of its counts, segment by segment, sorted as above within each.
  void for_words(size_t buffer_bytes, const std::function<void(const CountedWord&)>& f);

 private:
  RecordFile file_;
  size_t segments_;
  struct Segment {
    uint64_t begin, end;
  };
  std::vector<std::vector<Segment>> runs_;
};

}  // namespace llmkit::tokenizer
