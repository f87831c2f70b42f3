// The exact result of byte-pair merging without merging, in time linear in the piece (van Antwerpen and Neubeck, "So
// many tokens, so little time: introducing a faster, more flexible byte-pair tokenizer", GitHub 2024). A sequence of
// tokens is what merging gives if and only if every neighbouring pair (a, b) is *compatible*: undoing their merges
// backwards from the boundary, no merge across it would have come first. So: take the longest token at each position,
// step back to the next shorter one where it is not compatible with the token before, and never try a position twice.
// Needs every token to be made of tokens of lower rank; where that does not hold, exact() says so and BpeMerger does
// the work.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/bpe.h"
#include "tokenizer/byte_trie.h"

namespace llmkit::tokenizer {

class BpeTables {
 public:
  BpeTables() = default;
  // `symbols`: ids of what merges start from. `tokens`: id -> spelling; a merge's result must spell its two parts.
  BpeTables(const std::vector<std::string>& tokens, const std::vector<int32_t>& symbols,
            const std::vector<Merge>& merges, const BpeMerger& merger);

  bool exact() const { return exact_; }
  // Whether encoding `tokens[id]` can give it: false for a token that no sequence of merges reaches.
  bool reachable(int32_t id) const { return nodes_[static_cast<size_t>(id)].rank != kUnreachable; }
  // Whether a ends and b begins where they stand side by side.
  bool compatible(int32_t a, int32_t b, uint32_t limit = kUnreachable) const;

  struct Scratch {
    std::vector<uint64_t> failed;                                 // a bit a position: no token may end there
    std::vector<uint64_t> known = std::vector<uint64_t>(kKnown);  // answers: a << 33 | b << 1 | compatible, or 0
  };
  // Appends the ids of `piece`, every symbol of which is known; exact() must hold.
  void encode(std::string_view piece, std::vector<int32_t>& out, Scratch& scratch) const;

 private:
  static constexpr size_t kKnown = size_t{1} << 15;
  bool compatible(int32_t a, int32_t b, Scratch& scratch) const;
  static constexpr uint32_t kUnreachable = 0xFFFFFFFF;
  struct Node {
    int32_t left = -1, right = -1;  // the two tokens it was merged from
    uint32_t rank = kUnreachable;   // 1 + of that merge; 0: a symbol
    int32_t shorter = -1;           // the longest token that is a proper prefix
  };
  bool maybe_pair(int32_t a, int32_t b) const {
    uint64_t h = BpeMerger::hash_of(a, b);
    return filter_[h >> 50] >> (h >> 44 & 63) & 1;
  }

  bool exact_ = false;
  std::vector<Node> nodes_;
  std::vector<uint32_t> lengths_;
  std::vector<uint64_t> filter_;  // 2^20 bits: most pairs that are asked for have no merge
  const BpeMerger* merger_ = nullptr;
  ByteTrie trie_;
};

}  // namespace llmkit::tokenizer
