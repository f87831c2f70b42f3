#include "io/line_reader.h"

#include <algorithm>
#include <cstring>

namespace llmkit::io {
namespace {
constexpr size_t kFirstBuffer = size_t{256} << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
}  // namespace

LineReader::LineReader(InputStream& input, size_t max_line_bytes) : input_(input), max_line_bytes_(max_line_bytes) {}

bool LineReader::fill() {
  if (at_end_) return false;
  if (begin_ > 0) {  // keep the started line, at the front
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    buffer_offset_ += begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(std::max(kFirstBuffer, buffer_.size() * 2));
  size_t got = input_.read({buffer_.data() + end_, buffer_.size() - end_});
  end_ += got;
  at_end_ = got == 0;
  return !at_end_;
}

void LineReader::skip_rest_of_line() {
  while (true) {
    const void* newline = std::memchr(buffer_.data() + begin_, '\n', end_ - begin_);
    if (newline) {
      begin_ = static_cast<const char*>(newline) - buffer_.data() + 1;
      return;
    }
    begin_ = end_;
    if (!fill()) return;
  }
}

bool LineReader::next(std::string_view& line) {
  if (too_long_) skip_rest_of_line();
  too_long_ = false;
  size_t searched = 0;
  while (true) {
    const char* start = buffer_.data() + begin_;
    size_t have = end_ - begin_;
    const void* newline = have > searched ? std::memchr(start + searched, '\n', have - searched) : nullptr;
    size_t length = newline ? static_cast<const char*>(newline) - start : have;
    if (length > max_line_bytes_) {
      too_long_ = true;
      length = max_line_bytes_;
    } else if (!newline) {
      searched = have;
      if (fill()) continue;
      if (end_ == begin_) return false;
      start = buffer_.data() + begin_;  // fill may have moved it
    }
    line_offset_ = buffer_offset_ + begin_;
    ++line_number_;
    line = {start, length};
    begin_ += length + (newline && !too_long_ ? 1 : 0);
    if (!too_long_ && line.ends_with('\r')) line.remove_suffix(1);
    if (line_number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    return true;
  }
}

}  // namespace llmkit::io
