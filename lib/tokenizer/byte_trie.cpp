#include "tokenizer/byte_trie.h"

#include <algorithm>

#include "base/error.h"
#include "tokenizer/xor_slots.h"

namespace llmkit::tokenizer {

ByteTrie::ByteTrie(std::vector<std::pair<std::string_view, int32_t>> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::erase_if(entries, [](auto& e) { return e.first.empty(); });
  XorSlots slots;
  slots.add_block();
  slots.add_block();
  slots.take(kRoot);
  nodes_.resize(slots.size());
  nodes_[kRoot].link = 257;  // no label
  // Level by level, so that the nodes that every walk passes lie together.
  struct Range {
    size_t begin, end;
    uint32_t node;
  };
  std::vector<Range> level, next;
  if (!entries.empty()) level.push_back({0, entries.size(), kRoot});
  std::vector<unsigned char> labels;
  for (size_t depth = 0; !level.empty(); ++depth, level.swap(next)) {
    next.clear();
    for (Range range : level) {
      size_t at = range.begin;
      while (at < range.end && entries[at].first.size() == depth) {
        if (nodes_[range.node].value < 0) nodes_[range.node].value = entries[at].second;
        ++at;
      }
      if (at == range.end) continue;
      labels.clear();
      size_t first_child = next.size();
      for (size_t i = at; i < range.end; ++i) {
        auto c = static_cast<unsigned char>(entries[i].first[depth]);
        if (labels.empty() || labels.back() != c) {
          labels.push_back(c);
          next.push_back({i, i, 0});
        }
        next.back().end = i + 1;
      }
      uint32_t base = slots.place(labels);
      if (slots.size() > kMaxNodes) throw Error("the vocabulary is too large: more than 8 million trie nodes");
      nodes_.resize(slots.size());
      nodes_[range.node].link = (nodes_[range.node].link & 0x1FF) | base << 9;
      for (size_t k = 0; k < labels.size(); ++k) {
        uint32_t child = base ^ labels[k];
        nodes_[child].link = labels[k];
        next[first_child + k].node = child;
      }
    }
  }
}

}  // namespace llmkit::tokenizer
