#include "tokenizer/bpe.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace llmkit::tokenizer {

BpeMerger::BpeMerger(std::span<const Merge> merges, std::span<const uint32_t> ranks) {
  slots_.resize(std::bit_ceil(merges.size() * 2 + 2));
  mask_ = slots_.size() - 1;
  for (size_t i = 0; i < merges.size(); ++i) {
    uint64_t pair = pair_of(merges[i].left, merges[i].right);
    slots_[slot_of(pair)] = {pair, ranks.empty() ? static_cast<uint32_t>(i) : ranks[i], merges[i].result};
  }
}

void BpeMerger::merge(std::vector<int32_t>& symbols, size_t from, Scratch& scratch) const {
  size_t count = symbols.size() - from;
  if (count < 2) return;
  size_t left = count <= kShortPiece ? merge_short(symbols.data() + from, count, scratch)
                                     : merge_long(symbols.data() + from, count, scratch);
  symbols.resize(from + left);
}

void BpeMerger::merge(std::vector<int32_t>& symbols, size_t from, Scratch& scratch, double dropout, Rng& rng) const {
  size_t count = symbols.size() - from;
  if (count < 2) return;
  symbols.resize(from + merge_long(symbols.data() + from, count, scratch, dropout, &rng));
}

size_t BpeMerger::merge_short(int32_t* symbols, size_t count, Scratch& scratch) const {
  scratch.ranks.resize(std::max(scratch.ranks.size(), kShortPiece));
  uint32_t* ranks = scratch.ranks.data();  // ranks[i]: of the pair (i, i + 1)
  for (size_t i = 0; i + 1 < count; ++i) ranks[i] = find(symbols[i], symbols[i + 1]).rank;
  while (count > 1) {
    uint32_t best = kNoRank;
    size_t at = 0;
    for (size_t i = 0; i + 1 < count; ++i) {
      if (ranks[i] < best) {
        best = ranks[i];
        at = i;
      }
    }
    if (best == kNoRank) break;
    symbols[at] = find(symbols[at], symbols[at + 1]).result;
    std::copy(symbols + at + 2, symbols + count, symbols + at + 1);
    std::copy(ranks + std::min(at + 2, count - 1), ranks + count - 1, ranks + at + 1);
    --count;
    if (at > 0) ranks[at - 1] = find(symbols[at - 1], symbols[at]).rank;
    if (at + 1 < count) ranks[at] = find(symbols[at], symbols[at + 1]).rank;
  }
  return count;
}

size_t BpeMerger::merge_long(int32_t* symbols, size_t count, Scratch& s, double dropout, Rng* rng) const {
  // Positions are those of the first byte of a symbol; ranks[i] is the rank of the pair that starts at i, kNoRank where
  // there is none (also: i is merged away). A heap entry whose rank is not that of its position any more is stale.
  auto n = static_cast<int32_t>(count);
  s.ranks.assign(count, kNoRank);
  s.previous.resize(count);
  s.next.resize(count);
  s.heap.clear();
  s.passed_over.clear();
  auto entry = [](uint32_t rank, int32_t at) { return uint64_t{rank} << 32 | static_cast<uint32_t>(at); };
  for (int32_t i = 0; i < n; ++i) {
    s.previous[static_cast<size_t>(i)] = i - 1;
    s.next[static_cast<size_t>(i)] = i + 1;
    if (i + 1 == n) break;
    uint32_t rank = find(symbols[i], symbols[i + 1]).rank;
    s.ranks[static_cast<size_t>(i)] = rank;
    if (rank != kNoRank) s.heap.push_back(entry(rank, i));
  }
  std::make_heap(s.heap.begin(), s.heap.end(), std::greater<>());
  auto update = [&](int32_t at) {
    int32_t right = s.next[static_cast<size_t>(at)];
    uint32_t rank = right < n ? find(symbols[at], symbols[right]).rank : kNoRank;
    s.ranks[static_cast<size_t>(at)] = rank;
    if (rank == kNoRank) return;
    s.heap.push_back(entry(rank, at));
    std::push_heap(s.heap.begin(), s.heap.end(), std::greater<>());
  };
  while (!s.heap.empty()) {
    uint64_t top = s.heap.front();
    std::pop_heap(s.heap.begin(), s.heap.end(), std::greater<>());
    s.heap.pop_back();
    auto at = static_cast<int32_t>(top & 0xFFFFFFFF);
    if (s.ranks[static_cast<size_t>(at)] != static_cast<uint32_t>(top >> 32)) continue;
    if (rng && rng->uniform() < dropout) {
      s.passed_over.push_back(top);
      continue;
    }
    for (uint64_t again : s.passed_over) {
      s.heap.push_back(again);
      std::push_heap(s.heap.begin(), s.heap.end(), std::greater<>());
    }
    s.passed_over.clear();
    int32_t right = s.next[static_cast<size_t>(at)];
    symbols[at] = find(symbols[at], symbols[right]).result;
    s.ranks[static_cast<size_t>(right)] = kNoRank;
    int32_t after = s.next[static_cast<size_t>(right)];
    s.next[static_cast<size_t>(at)] = after;
    if (after < n) s.previous[static_cast<size_t>(after)] = at;
    update(at);
    if (int32_t before = s.previous[static_cast<size_t>(at)]; before >= 0) update(before);
  }
  size_t kept = 0;
  for (int32_t i = 0; i < n; i = s.next[static_cast<size_t>(i)]) symbols[kept++] = symbols[i];
  return kept;
}

}  // namespace llmkit::tokenizer
