// Lines of an InputStream, in bounded memory. The line ends "\n" and "\r\n" are removed, and so is a UTF-8 byte order
// mark at the start; the last line need not end in "\n".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/input.h"

namespace llmkit::io {

class LineReader {
 public:
  explicit LineReader(InputStream& input, size_t max_line_bytes = size_t{64} << 20);

  // The view is valid until the next call. Of a line longer than the cap it holds the first `max_line_bytes` bytes.
  bool next(std::string_view& line);
  int64_t line_number() const { return line_number_; }  // of the line returned last, from 1
  uint64_t offset() const { return line_offset_; }      // of its first byte in the decoded stream
  bool line_too_long() const { return too_long_; }
  InputStream& input() { return input_; }

 private:
  bool fill();  // false at the end of the input
  void skip_rest_of_line();

  InputStream& input_;
  size_t max_line_bytes_;
  std::string buffer_;
  size_t begin_ = 0, end_ = 0;  // the unread part of buffer_
  uint64_t buffer_offset_ = 0;  // of buffer_[0] in the decoded stream
  int64_t line_number_ = 0;
  uint64_t line_offset_ = 0;
  bool too_long_ = false, at_end_ = false;
};

}  // namespace llmkit::io
