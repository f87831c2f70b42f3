#include "io/feed.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace llmkit::io {
namespace {
constexpr size_t kReadBytes = size_t{256} << 10;
}

Feed::Feed(System& system, Descriptor file, int fd, std::string name, uint64_t total_bytes)
    : system_(&system), file_(std::move(file)), fd_(fd), name_(std::move(name)), total_bytes_(total_bytes) {
  buffer_.resize(kRewindBytes + 2 * kReadBytes);
  window_ = {buffer_.data(), 0};
}

Feed::Feed(std::string_view memory, std::string name)
    : name_(std::move(name)), total_bytes_(memory.size()), window_(memory), at_end_(true) {}

bool Feed::refill() {
  if (at_end_) return false;
  size_t end = window_.size();
  if (buffer_.size() - end < kReadBytes) {
    size_t drop = position_ > kRewindBytes ? position_ - kRewindBytes : 0;
    std::memmove(buffer_.data(), buffer_.data() + drop, end - drop);
    position_ -= drop;
    window_offset_ += drop;
    end -= drop;
    if (buffer_.size() - end < kReadBytes) buffer_.resize(end + kReadBytes);
  }
  size_t got = read_some(*system_, fd_, {buffer_.data() + end, kReadBytes}, name_);
  window_ = {buffer_.data(), end + got};
  at_end_ = got == 0;
  return got > 0;
}

bool Feed::ensure(size_t bytes) {
  while (available().size() < bytes)
    if (!refill()) return false;
  return true;
}

void Feed::rewind_to(uint64_t offset) {
  uint64_t oldest = std::max(window_offset_, this->offset() - std::min<uint64_t>(this->offset(), kRewindBytes));
  position_ = static_cast<size_t>(std::clamp(offset, oldest, this->offset()) - window_offset_);
}

}  // namespace llmkit::io
