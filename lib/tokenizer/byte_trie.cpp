#include "tokenizer/byte_trie.h"

#include <algorithm>

#include "base/error.h"

namespace llmkit::tokenizer {

struct ByteTrie::Builder {
  std::vector<Node>& nodes;
  std::vector<uint32_t> open;     // blocks that may have room
  std::vector<bool> base_in_use;  // a label tells children apart only if no two nodes share a base

  uint32_t add_block() {
    auto begin = static_cast<uint32_t>(nodes.size());
    if (begin + 256 > kMaxNodes) throw Error("the vocabulary is too large: more than 8 million trie nodes");
    nodes.resize(begin + 256);
    base_in_use.resize(begin + 256);
    return begin;
  }

  // A base at which all `labels` are free.
  uint32_t base_for(const std::vector<unsigned char>& labels) {
    for (size_t tried = 0, i = open.size(); i > 0 && tried < 24; ++tried) {
      uint32_t begin = open[--i];
      uint32_t free_slots = 0;
      for (uint32_t slot = begin; slot < begin + 256; ++slot) {
        if (nodes[slot].link != kFree) continue;
        ++free_slots;
        uint32_t base = slot ^ labels[0];
        bool fits = !base_in_use[base];
        for (size_t k = 1; fits && k < labels.size(); ++k) fits = nodes[base ^ labels[k]].link == kFree;
        if (fits) return base;
      }
      if (free_slots < 8) open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
    }
    open.push_back(add_block());
    return open.back();
  }
};

ByteTrie::ByteTrie(std::vector<std::pair<std::string_view, int32_t>> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::erase_if(entries, [](auto& e) { return e.first.empty(); });
  Builder builder{nodes_, {}, {}};
  builder.add_block();
  builder.add_block();
  nodes_[kRoot].link = 257;  // taken, by no label
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
      uint32_t base = builder.base_for(labels);
      builder.base_in_use[base] = true;
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
