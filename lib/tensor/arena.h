// Memory of a training step. Arena: a bump allocator with mark/release, for what lives in stack order (activations,
// tape nodes, scratch). BufferPool: buffers given back in any order and reused by size, for activation gradients.
// Both keep their blocks from step to step, so after the first step nothing is allocated from the system. In counting
// mode they hand out null and only count: the same code then sizes a step without running it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "kernels/exec.h"

namespace llmkit {

// An AlignedBuffer of bytes whose pages can be given back.
class MemoryBlock {
 public:
  MemoryBlock() = default;
  explicit MemoryBlock(size_t bytes) : buffer_(bytes) {}
  std::byte* data() const { return static_cast<std::byte*>(buffer_.data()); }
  size_t size() const { return buffer_.size(); }
  // Gives the pages that lie wholly in [begin, begin + bytes) back to the system; their contents are lost.
  void forget(size_t begin, size_t bytes);

 private:
  kernels::AlignedBuffer buffer_;
};

class Arena {
 public:
  struct Mark {
    size_t block = 0, offset = 0, used = 0;
  };

  // `block_bytes`: the size of a block from the system, unless one allocation needs more.
  explicit Arena(size_t block_bytes = size_t{16} << 20, bool counting = false)
      : block_bytes_(block_bytes), counting_(counting) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(size_t bytes);  // 64-byte aligned, not cleared; null when counting
  void reserve(size_t bytes);    // makes the first block at least this large; only while nothing is in use

  Mark mark() const { return {current_, offset_, used_}; }
  void release(const Mark& mark);  // everything allocated since is gone (poisoned under AddressSanitizer)

  size_t used() const { return used_; }
  size_t peak() const { return peak_; }
  void reset_peak() { peak_ = used_; }

 private:
  std::vector<MemoryBlock> blocks_;
  size_t current_ = 0, offset_ = 0;
  size_t used_ = 0, peak_ = 0;
  size_t block_bytes_;
  bool counting_;
};

class BufferPool {
 public:
  struct Buffer {
    void* data = nullptr;  // null when counting
    size_t capacity = 0;
  };

  explicit BufferPool(bool counting = false) : counting_(counting) {}

  Buffer take(size_t bytes);  // the smallest free buffer that fits and is at most twice the size, or a new one
  void give_back(const Buffer& buffer);

  size_t held() const { return held_; }  // bytes in all buffers: the pool never shrinks, so this is the peak

 private:
  std::multimap<size_t, void*> free_;  // by capacity
  std::vector<MemoryBlock> blocks_;
  size_t held_ = 0;
  bool counting_;
};

}  // namespace llmkit
