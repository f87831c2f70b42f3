#include "tensor/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#if defined(__SANITIZE_ADDRESS__)
#define LLMKIT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LLMKIT_ASAN 1
#endif
#endif
#ifdef LLMKIT_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace llmkit {
namespace {

constexpr size_t kAlign = 64;

size_t round_up(size_t n, size_t to) {
  return (n + to - 1) / to * to;
}

void poison([[maybe_unused]] const void* p, [[maybe_unused]] size_t n) {
#ifdef LLMKIT_ASAN
  __asan_poison_memory_region(p, n);
#endif
}
void unpoison([[maybe_unused]] const void* p, [[maybe_unused]] size_t n) {
#ifdef LLMKIT_ASAN
  __asan_unpoison_memory_region(p, n);
#endif
}

}  // namespace

void MemoryBlock::forget(size_t begin, size_t bytes) {
  auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  auto start = reinterpret_cast<uintptr_t>(data());
  size_t first = round_up(start + begin, page), last = (start + begin + bytes) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

void* Arena::allocate(size_t bytes) {
  size_t size = round_up(std::max<size_t>(bytes, 1), kAlign);
  used_ += size;
  peak_ = std::max(peak_, used_);
  if (counting_) return nullptr;
  while (current_ < blocks_.size() && offset_ + size > blocks_[current_].size()) {
    ++current_;
    offset_ = 0;
  }
  if (current_ == blocks_.size()) {
    blocks_.emplace_back(std::max(size, block_bytes_));
    poison(blocks_.back().data(), blocks_.back().size());
  }
  void* p = blocks_[current_].data() + offset_;
  offset_ += size;
  unpoison(p, bytes);
  return p;
}

void Arena::reserve(size_t bytes) {
  if (counting_ || used_ > 0 || (!blocks_.empty() && blocks_[0].size() >= bytes)) return;
  for (auto& block : blocks_) unpoison(block.data(), block.size());
  blocks_.clear();
  blocks_.emplace_back(bytes);
  poison(blocks_.back().data(), blocks_.back().size());
}

void Arena::release(const Mark& mark) {
  if (!counting_)
    for (size_t b = mark.block; b < blocks_.size() && b <= current_; ++b) {
      size_t from = b == mark.block ? mark.offset : 0;
      poison(blocks_[b].data() + from, blocks_[b].size() - from);
    }
  current_ = mark.block;
  offset_ = mark.offset;
  used_ = mark.used;
}

Arena::~Arena() {
  for (auto& block : blocks_) unpoison(block.data(), block.size());
}

BufferPool::Buffer BufferPool::take(size_t bytes) {
  size_t size = round_up(std::max<size_t>(bytes, 1), kAlign);
  auto found = free_.lower_bound(size);
  if (found != free_.end() && found->first <= 2 * size) {
    Buffer buffer{found->second, found->first};
    free_.erase(found);
    return buffer;
  }
  held_ += size;
  if (counting_) return {nullptr, size};
  blocks_.emplace_back(size);
  return {blocks_.back().data(), size};
}

void BufferPool::give_back(const Buffer& buffer) {
  if (buffer.capacity > 0) free_.emplace(buffer.capacity, buffer.data);
}

}  // namespace llmkit
