#include "tokenizer/pair_merger.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace llmkit::tokenizer {
namespace {

constexpr size_t kLeastSketch = size_t{1} << 12, kMostSketch = size_t{1} << 20;
constexpr size_t kAhead = 12;    // words prefetched
constexpr uint64_t kRatio = 32;  // of the best count to the threshold: measured, 16 to 64 are the fastest

}  // namespace

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

void PairMerger::add_word(std::span<const int32_t> symbols, uint64_t count) {
  if (symbols.size() < 2) return;
  if (arena_.size() + symbols.size() + kHead >= UINT32_MAX)
    throw Error(ErrorParts{"too many symbols to train on at once", {}, "less than 2^32", {}, "set --memory"});
  arena_.push_back(static_cast<uint32_t>(count));
  arena_.push_back(static_cast<uint32_t>(count >> 32));
  arena_.push_back(static_cast<uint32_t>(symbols.size() + kHead));
  for (int32_t s : symbols) arena_.push_back(static_cast<uint32_t>(s));
  arena_.push_back(kEnd);
}

void PairMerger::clear_words() {
  threshold_ = 0;
  stale_ = false;
  arena_ = {};
  lists_ = {};
  queue_.clear();
  table_ = {};
}

uint64_t PairMerger::memory_bytes() const {
  uint64_t lists = lists_.capacity() * sizeof(lists_[0]);
  for (auto& list : lists_) lists += list.capacity() * sizeof(uint32_t);
  return arena_.capacity() * sizeof(uint32_t) + lists + table_.bytes() + queue_.capacity() * sizeof(Candidate);
}

template <class F>
void PairMerger::for_pairs(F&& f) {
  const uint32_t* a = arena_.data();
  for (size_t at = 0; at < arena_.size(); at += a[at + 2]) {
    uint64_t count = count_at(at);
    for (const uint32_t* s = a + at + kFirst; s[1] != kEnd; ++s)
      if (counts_pair(s[0], s[1])) f(pair_key(s[0], s[1]), count, at);
  }
}

void PairMerger::index(uint64_t floor) {
  uint64_t at_most = threshold_ == 0 || stale_ ? UINT64_MAX : threshold_ / 2;
  stale_ = false;
  queue_.clear();
  lists_.clear();
  // Words of one symbol have nothing left to merge: the arena closes up over them.
  size_t kept = 0;
  for (size_t at = 0; at < arena_.size();) {
    size_t room = arena_[at + 2], size = kFirst;
    while (arena_[at + size] != kEnd) ++size;
    if (++size > kHead + 1) {
      std::copy(arena_.begin() + static_cast<ptrdiff_t>(at), arena_.begin() + static_cast<ptrdiff_t>(at + size),
                arena_.begin() + static_cast<ptrdiff_t>(kept));
      arena_[kept + 2] = static_cast<uint32_t>(size);
      kept += size;
    }
    at += room;
  }
  arena_.resize(kept);

  PairSketch sketch(std::clamp(std::bit_ceil(arena_.size() / 4), kLeastSketch, kMostSketch));
  for_pairs([&](uint64_t pair, uint64_t count, size_t) { sketch.add(pair, count); });
  uint64_t threshold = std::max(floor, std::min(sketch.largest() / kRatio, at_most));
  threshold_ = threshold;
  for (auto& [pair, merged] : merged_)
    if (reused_.count(pair_left(pair)) || reused_.count(pair_right(pair)))
      sketch.add(pair, static_cast<uint64_t>(std::max<int64_t>(0, merged.count)));
  std::vector<bool> frequent(sketch.sums().size());
  for (size_t i = 0; i < frequent.size(); ++i) frequent[i] = sketch.sums()[i] >= threshold;
  PairTable counted;
  for_pairs([&](uint64_t pair, uint64_t count, size_t) {
    if (!frequent[pair_hash(pair) & (frequent.size() - 1)]) return;
    auto& slot = counted.at(pair);
    slot.count += static_cast<int64_t>(count);
    ++slot.list;  // for now the number of its places, less one
  });
  for (auto& [pair, merged] : merged_) {
    PairTable::Slot* slot = counted.find(pair);
    if (slot) {
      merged.queued = true;
      slot->count += merged.count;
    } else if (merged.queued) {
      counted.at(pair).count = merged.count;
    }
  }
  table_ = {};
  tabled_ = {};
  for (auto& slot : counted.slots()) {
    if (slot.pair == PairTable::kEmpty) continue;
    if (slot.count < static_cast<int64_t>(threshold)) continue;
    tabled_.add(slot.pair);
    auto& tabled = table_.at(slot.pair);
    tabled.count = slot.count;
    tabled.list = static_cast<int32_t>(lists_.size());
    lists_.emplace_back().reserve(static_cast<size_t>(slot.list + 1));
    queue_.push_back({static_cast<uint64_t>(slot.count), slot.pair});
  }
  std::make_heap(queue_.begin(), queue_.end());
  for_pairs([&](uint64_t pair, uint64_t, size_t at) {
    if (!tabled_.may_have(pair)) return;
    if (auto* slot = table_.find(pair)) {
      auto& list = lists_[static_cast<size_t>(slot->list)];
      if (list.empty() || list.back() != at) list.push_back(static_cast<uint32_t>(at));
    }
  });
  left_counts_.resize(sizes_.size());
  right_counts_.resize(sizes_.size());
}

void PairMerger::push(uint64_t pair, uint64_t count) {
  queue_.push_back({count, pair});
  std::push_heap(queue_.begin(), queue_.end());
}

bool PairMerger::next(uint64_t& pair, uint64_t& count) {
  while (!queue_.empty()) {
    std::pop_heap(queue_.begin(), queue_.end());
    Candidate top = queue_.back();
    queue_.pop_back();
    PairTable::Slot* slot = table_.find(top.pair);
    auto now = static_cast<uint64_t>(std::max<int64_t>(0, slot->count));
    auto& list = lists_[static_cast<size_t>(slot->list)];
    if (now < threshold_) {
      list = {};
      continue;
    }
    if (now != top.count) {
      push(top.pair, now);
      continue;
    }
    pair = top.pair;
    count = now;
    current_ = std::move(list);
    list = {};
    return true;
  }
  return false;
}

// A change of the count of (a, b). Pairs of `result` are new and gathered aside; of others only the tabled matter.
inline void PairMerger::change(uint32_t a, uint32_t b, int64_t count, size_t word, uint32_t result) {
  if (a == result || b == result) {
    if (sizes_[a] + sizes_[b] >= max_size_) return;
  }
  if (a == result) {
    if (count > 0) rights_.push_back({b, static_cast<uint32_t>(word)});
    right_counts_[b] += count;
  } else if (b == result) {
    if (count > 0) lefts_.push_back({a, static_cast<uint32_t>(word)});
    left_counts_[a] += count;
  } else if (uint64_t pair = pair_key(a, b); tabled_.may_have(pair)) {
    if (auto* slot = table_.find(pair)) slot->count += count;
  }
}

void PairMerger::merge_word(size_t at, uint32_t left, uint32_t right, uint32_t result) {
  uint32_t* s = arena_.data() + at + kFirst;
  while (*s != kEnd && !(s[0] == left && s[1] == right)) ++s;
  if (*s == kEnd) return;
  auto count = static_cast<int64_t>(count_at(at));
  uint32_t* first = arena_.data() + at + kFirst;
  uint32_t* kept = s;
  for (; *s != kEnd;) {
    if (s[0] != left || s[1] != right) {
      *kept++ = *s++;
      continue;
    }
    if (kept > first) {
      uint32_t before = kept[-1];
      change(before, left, -count, at, result);
      change(before, result, count, at, result);
    }
    if (s[2] != kEnd) {
      change(right, s[2], -count, at, result);
      change(result, s[2], count, at, result);
    }
    *kept++ = result;
    s += 2;
  }
  *kept = kEnd;
}

void PairMerger::table_neighbours(std::vector<Neighbour>& found, std::vector<int64_t>& counts, uint32_t result,
                                  bool at_left) {
  uint32_t symbol = kEnd;
  std::vector<uint32_t>* list = nullptr;
  for (auto& n : found) {
    int64_t count = counts[n.symbol];
    if (count < static_cast<int64_t>(threshold_)) continue;
    uint64_t pair = at_left ? pair_key(n.symbol, result) : pair_key(result, n.symbol);
    if (n.symbol != symbol) {
      auto& slot = table_.at(pair);
      if (slot.list < 0) {
        tabled_.add(pair);
        slot.count = count;
        slot.list = static_cast<int32_t>(lists_.size());
        lists_.emplace_back();
        push(pair, static_cast<uint64_t>(count));
      }
      symbol = n.symbol;
      list = &lists_[static_cast<size_t>(slot.list)];
    }
    if (list->empty() || list->back() != n.word) list->push_back(n.word);
  }
  for (auto& n : found) counts[n.symbol] = 0;
  found.clear();
}

void PairMerger::merge(uint64_t pair, int32_t result, bool fresh) {
  left_counts_.resize(sizes_.size());
  right_counts_.resize(sizes_.size());
  auto token = static_cast<uint32_t>(result);
  for (size_t i = 0; i < current_.size(); ++i) {
    if (i + kAhead < current_.size()) __builtin_prefetch(arena_.data() + current_[i + kAhead]);
    merge_word(current_[i], pair_left(pair), pair_right(pair), token);
  }
  current_ = {};
  merged_[pair] = {table_.find(pair)->count, false};
  if (fresh) {
    table_neighbours(lefts_, left_counts_, token, true);
    table_neighbours(rights_, right_counts_, token, false);
    return;
  }
  reused_.insert(token);
  stale_ = true;
  queue_.clear();
  lefts_.clear();
  rights_.clear();
  std::fill(left_counts_.begin(), left_counts_.end(), 0);
  std::fill(right_counts_.begin(), right_counts_.end(), 0);
}

}  // namespace llmkit::tokenizer
