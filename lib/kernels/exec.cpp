#include "kernels/exec.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace llmkit::kernels {
namespace {
constexpr size_t kHugePage = size_t{2} << 20;
}

AlignedBuffer::AlignedBuffer(size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  bool large = bytes >= kHugePage;
  size_t alignment = large ? kHugePage : kAlignment;
  size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* p = std::aligned_alloc(alignment, rounded);
  if (!p) throw std::bad_alloc();
  // A wish: without large pages only speed is lost. Not for the rest, of which a large page would be held whole.
  if (large) madvise(p, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  data_.reset(p);
}

void AlignedBuffer::Free::operator()(void* p) const {
  std::free(p);
}

void* Workspace::take(size_t bytes) {
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (blocks_.empty() || block_used_ + bytes > blocks_.back().size()) {
    // At the outermost level one block that holds everything seen so far replaces the old ones.
    if (used_ == 0) blocks_.clear();
    blocks_.emplace_back(std::max(bytes, used_ == 0 ? peak_ : 2 * bytes));
    block_used_ = 0;
  }
  void* p = static_cast<std::byte*>(blocks_.back().data()) + block_used_;
  block_used_ += bytes;
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  return p;
}

void Workspace::release(size_t used) {
  // Blocks are only dropped at the outermost level; until then the space before a new block lies idle.
  size_t freed = used_ - used;
  used_ = used;
  if (used_ == 0) {
    if (blocks_.size() > 1) blocks_.clear();
    block_used_ = 0;
  } else if (freed <= block_used_) {
    block_used_ -= freed;
  } else {
    block_used_ = 0;
  }
}

}  // namespace llmkit::kernels
