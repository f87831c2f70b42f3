#include "tokenizer/bpe_tables.h"

#include <algorithm>
#include <numeric>

namespace llmkit::tokenizer {

BpeTables::BpeTables(const std::vector<std::string>& tokens, const std::vector<int32_t>& symbols,
                     const std::vector<Merge>& merges, const BpeMerger& merger)
    : nodes_(tokens.size()), filter_(size_t{1} << 14), merger_(&merger) {
  for (int32_t id : symbols) nodes_[static_cast<size_t>(id)].rank = 0;
  for (auto& m : merges) {
    uint64_t h = BpeMerger::hash_of(m.left, m.right);
    filter_[h >> 50] |= uint64_t{1} << (h >> 44 & 63);
  }
  std::vector<uint32_t> order(merges.size());
  std::iota(order.begin(), order.end(), 0);
  auto rank_of = [&](const Merge& m) { return merger.find(m.left, m.right).rank; };
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return rank_of(merges[a]) < rank_of(merges[b]); });
  // In the order of ranks a token is reachable by a merge if its parts are, and nothing crosses between them earlier.
  for (uint32_t i : order) {
    const Merge& m = merges[i];
    auto entry = merger.find(m.left, m.right);
    if (entry.result != m.result) continue;  // a later entry for the same pair counts
    uint32_t rank = entry.rank + 1;
    Node& node = nodes_[static_cast<size_t>(m.result)];
    const Node &left = nodes_[static_cast<size_t>(m.left)], &right = nodes_[static_cast<size_t>(m.right)];
    const std::string &l = tokens[static_cast<size_t>(m.left)], &r = tokens[static_cast<size_t>(m.right)];
    const std::string& whole = tokens[static_cast<size_t>(m.result)];
    if (whole.size() != l.size() + r.size() || !whole.starts_with(l) || !whole.ends_with(r)) return;
    if (node.rank != kUnreachable) {
      if (node.rank == 0) return;  // a symbol that is also merged
      continue;
    }
    if (left.rank >= rank || right.rank >= rank) {
      // Parts that come later in the list than what they make, or never.
      if (left.rank != kUnreachable && right.rank != kUnreachable) return;
      continue;
    }
    if (compatible(m.left, m.right, rank)) node = {m.left, m.right, rank, -1};
  }
  // A part that became reachable after its whole was looked at would make the tables wrong.
  for (auto& m : merges) {
    uint32_t rank = rank_of(m) + 1;
    const Node &left = nodes_[static_cast<size_t>(m.left)], &right = nodes_[static_cast<size_t>(m.right)];
    if (left.rank != kUnreachable && right.rank != kUnreachable && (left.rank >= rank || right.rank >= rank)) return;
  }
  std::vector<std::pair<std::string_view, int32_t>> entries;
  for (size_t id = 0; id < tokens.size(); ++id)
    if (nodes_[id].rank != kUnreachable) entries.emplace_back(tokens[id], static_cast<int32_t>(id));
  trie_ = ByteTrie(entries);
  for (auto& [spelling, id] : entries)  // two tokens of one spelling
    if (trie_.longest(spelling.data(), spelling.data() + spelling.size()).value != id) return;
  lengths_.resize(tokens.size());
  for (auto& [spelling, id] : entries) {
    auto match = trie_.longest(spelling.data(), spelling.data() + spelling.size() - 1);
    nodes_[static_cast<size_t>(id)].shorter = match.value;
    lengths_[static_cast<size_t>(id)] = static_cast<uint32_t>(spelling.size());
  }
  exact_ = true;
}

bool BpeTables::compatible(int32_t a, int32_t b, uint32_t limit) const {
  // The merges of a and b are undone from the last one; `limit` is the time up to which the boundary is as it is now.
  // Of merges of one rank the leftmost comes first.
  for (;;) {
    if (maybe_pair(a, b)) {
      uint32_t rank = merger_->find(a, b).rank;
      if (rank != BpeMerger::kNoRank && rank + 1 < limit) return false;
    }
    const Node &left = nodes_[static_cast<size_t>(a)], &right = nodes_[static_cast<size_t>(b)];
    if (left.rank > right.rank) {
      limit = std::min(limit, left.rank);
      a = left.right;
    } else {
      if (right.rank == 0) return true;
      limit = std::min(limit, right.rank + 1);
      b = right.left;
    }
  }
}

bool BpeTables::compatible(int32_t a, int32_t b, Scratch& scratch) const {
  uint64_t pair = uint64_t{static_cast<uint32_t>(a)} << 33 | uint64_t{static_cast<uint32_t>(b)} << 1;
  uint64_t& known = scratch.known[(pair >> 1) * 0x9E3779B97F4A7C15 >> 49];
  if ((known ^ pair) <= 1 && known != 0) return known & 1;
  bool answer = compatible(a, b);
  known = pair | (answer ? 1 : 0);
  return answer;
}

void BpeTables::encode(std::string_view piece, std::vector<int32_t>& out, Scratch& s) const {
  const char *begin = piece.data(), *end = begin + piece.size();
  auto match = trie_.longest(begin, end);
  if (match.length == piece.size()) return out.push_back(match.value);
  s.failed.assign(piece.size() / 64 + 1, 0);
  size_t from = out.size(), at = 0, length = match.length;
  int32_t token = match.value;
  while (token >= 0) {
    int32_t last = out.size() > from ? out.back() : -1;
    for (;;) {
      size_t stop = at + length;
      if (!(s.failed[stop / 64] >> (stop % 64) & 1) && (last < 0 || compatible(last, token, s))) {
        out.push_back(token);
        at = stop;
        match = at < piece.size() ? trie_.longest(begin + at, end) : ByteTrie::Match{};
        token = match.value;
        length = match.length;
        break;
      }
      int32_t shorter = nodes_[static_cast<size_t>(token)].shorter;
      if (shorter >= 0) {
        token = shorter;
        length = lengths_[static_cast<size_t>(token)];
        continue;
      }
      // Nothing fits here: this position is a dead end, and the token before it must be a shorter one.
      s.failed[at / 64] |= uint64_t{1} << (at % 64);
      if (last < 0) return;
      out.pop_back();
      length = lengths_[static_cast<size_t>(last)];
      at -= length;
      token = last;
      break;
    }
  }
}

}  // namespace llmkit::tokenizer
