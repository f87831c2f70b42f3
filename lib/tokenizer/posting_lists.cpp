#include "tokenizer/posting_lists.h"

#include "base/error.h"

namespace llmkit::tokenizer {

void PostingLists::add_block(List& l) {
  uint32_t block;
  if (!free_.empty()) {
    block = free_.back();
    free_.pop_back();
  } else {
    if (made_ >= UINT32_MAX)
      throw Error(ErrorParts{"too many words to train on at once", {}, {}, {}, "set --memory, or use more threads"});
    if (made_ == slabs_.size() * kSlab) slabs_.push_back(std::unique_ptr<Block[]>(new Block[kSlab]));
    block = static_cast<uint32_t>(made_++);
  }
  if (l.blocks++ == 0)
    l.first = block;
  else
    at(l.last).next = block;
  l.last = block;
  l.filled = 0;
  ++used_;
}

void PostingLists::free(size_t list) {
  if (list >= lists_.size()) return;
  List& l = lists_[list];
  for (uint32_t block = l.first; l.blocks > 0; --l.blocks) {
    free_.push_back(block);
    if (l.blocks > 1) block = at(block).next;
    --used_;
  }
  l = {};
}

void PostingLists::clear() {
  lists_ = {};
  slabs_.clear();
  free_ = {};
  used_ = made_ = 0;
}

}  // namespace llmkit::tokenizer
