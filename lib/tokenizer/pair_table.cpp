#include "tokenizer/pair_table.h"

namespace llmkit::tokenizer {

PairTable::Slot& PairTable::at(uint64_t pair) {
  for (size_t i = hash(pair);; i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i].pair == pair) return slots_[i];
    if (slots_[i].pair != kEmpty) continue;
    if ((used_ + 1) * 2 > slots_.size()) {
      grow();
      return at(pair);
    }
    ++used_;
    slots_[i].pair = pair;
    return slots_[i];
  }
}

PairTable::Slot* PairTable::find(uint64_t pair) {
  for (size_t i = hash(pair);; i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i].pair == pair) return &slots_[i];
    if (slots_[i].pair == kEmpty) return nullptr;
  }
}

void PairTable::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (auto& slot : old) {
    if (slot.pair == kEmpty) continue;
    size_t i = hash(slot.pair);
    while (slots_[i].pair != kEmpty) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }
}

}  // namespace llmkit::tokenizer
