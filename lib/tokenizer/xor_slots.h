// The free places of a double array (Aoe 1989) whose children lie at base XOR label, in blocks of 256.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace llmkit::tokenizer {

class XorSlots {
 public:
  static constexpr uint32_t kBlock = 256;

  uint32_t size() const { return static_cast<uint32_t>(taken_.size()); }
  // 256 more slots, all free; returns the first of them.
  uint32_t add_block() {
    uint32_t begin = size();
    taken_.resize(begin + kBlock);
    base_in_use_.resize(begin + kBlock);
    return begin;
  }
  void take(uint32_t slot) { taken_[slot] = true; }
  // Takes the slots at base XOR label for all `labels`, and returns the base, which no other call has got: a label
  // tells children apart only if no two nodes share one.
  uint32_t place(std::span<const unsigned char> labels) {
    uint32_t base = base_for(labels);
    base_in_use_[base] = true;
    for (unsigned char label : labels) take(base ^ label);
    return base;
  }

 private:
  uint32_t base_for(std::span<const unsigned char> labels) {
    for (size_t tried = 0, i = open_.size(); i > 0 && tried < 24; ++tried) {
      uint32_t begin = open_[--i];
      uint32_t free_slots = 0;
      for (uint32_t slot = begin; slot < begin + kBlock; ++slot) {
        if (taken_[slot]) continue;
        ++free_slots;
        uint32_t base = slot ^ labels[0];
        bool fits = !base_in_use_[base];
        for (size_t k = 1; fits && k < labels.size(); ++k) fits = !taken_[base ^ labels[k]];
        if (fits) return base;
      }
      if (free_slots < 8) open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    open_.push_back(add_block());
    return open_.back();
  }

  std::vector<bool> taken_, base_in_use_;
  std::vector<uint32_t> open_;  // blocks that may have room
};

}  // namespace llmkit::tokenizer
