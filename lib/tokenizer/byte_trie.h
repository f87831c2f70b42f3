// A set of byte strings with a value each, for longest-match walks: a double array (Aoe 1989) whose children lie at
// base XOR byte. A node is eight bytes, a step one load, so the trie of 100,000 tokens takes 2 MB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace llmkit::tokenizer {

class ByteTrie {
 public:
  static constexpr int32_t kNone = -1;

  ByteTrie() : ByteTrie(std::vector<std::pair<std::string_view, int32_t>>{}) {}
  // Values are not negative; of equal keys the first counts. Empty keys are left out. Throws Error beyond 8 M nodes.
  explicit ByteTrie(std::vector<std::pair<std::string_view, int32_t>> entries);

  uint32_t root() const { return kRoot; }
  // The child of `node` by `byte`, or 0.
  uint32_t step(uint32_t node, char byte) const {
    auto c = static_cast<unsigned char>(byte);
    uint32_t child = (nodes_[node].link >> 9) ^ c;
    return (nodes_[child].link & 0x1FF) == c ? child : 0;
  }
  int32_t value(uint32_t node) const { return nodes_[node].value; }

  struct Match {
    int32_t value = kNone;
    size_t length = 0;
  };
  Match longest(const char* p, const char* end) const {
    Match match;
    uint32_t node = kRoot;
    for (const char* q = p; q < end;) {
      node = step(node, *q++);
      if (!node) break;
      if (nodes_[node].value >= 0) match = {nodes_[node].value, static_cast<size_t>(q - p)};
    }
    return match;
  }
  size_t node_count() const { return nodes_.size(); }

 private:
  // Block 0 stays empty: leaves have base 0, and so no children. Label 256 marks a free slot.
  static constexpr uint32_t kRoot = 256, kFree = 256, kMaxNodes = 1u << 23;
  struct Node {
    uint32_t link = kFree;  // base << 9 | label
    int32_t value = kNone;
  };
  std::vector<Node> nodes_;
};

}  // namespace llmkit::tokenizer
