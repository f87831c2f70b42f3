// The compressed side of a decoder: a window over a file descriptor or over memory that can be refilled at its end and
// rewound a little (to look for the next member after damage). Internal to lib/io.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/system.h"

namespace llmkit::io {

class Feed {
 public:
  static constexpr size_t kRewindBytes = size_t{128} << 10;  // consumed bytes that stay available, always

  Feed(System& system, Descriptor file, int fd, std::string name, uint64_t total_bytes);
  Feed(std::string_view memory, std::string name);

  std::string_view available() const { return window_.substr(position_); }
  bool refill();              // makes available() longer; false at the end of the input
  bool ensure(size_t bytes);  // refills until that much is available; false where the input ends before
  void consume(size_t bytes) { position_ += bytes; }
  void rewind_to(uint64_t offset);                                // the nearest offset that is still in the window
  uint64_t offset() const { return window_offset_ + position_; }  // bytes consumed so far
  uint64_t total_bytes() const { return total_bytes_; }
  const std::string& name() const { return name_; }

 private:
  System* system_ = nullptr;
  Descriptor file_;
  int fd_ = -1;  // file_'s, or standard input's, or -1 for memory
  std::string name_;
  uint64_t total_bytes_;
  std::string buffer_;
  std::string_view window_;
  size_t position_ = 0;
  uint64_t window_offset_ = 0;
  bool at_end_ = false;
};

}  // namespace llmkit::io
