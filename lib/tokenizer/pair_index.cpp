// PairMerger::index: which pairs are frequent, and where they stand.
#include <algorithm>
#include <bit>
#include <utility>

#include "tokenizer/pair_merger.h"

namespace llmkit::tokenizer {
namespace {

constexpr size_t kLeastSketch = size_t{1} << 12, kMostSketch = size_t{1} << 22;
constexpr uint64_t kRatio = 32;            // of the best count to the threshold: measured, 16 to 64 are the fastest
constexpr uint32_t kLeastRoom = 1024;      // codes for new symbols, when words are indexed
constexpr uint64_t kFixedBytes = 1 << 20;  // filters and what else does not grow

}  // namespace

// The codes anew by frequency, if there are few left for new symbols.
void PairMerger::deal_codes() {
  if (codes_.room() >= kLeastRoom) return;
  std::vector<uint64_t> counts;
  for (auto& part : parts_)
    part.words.for_words([&](uint64_t, uint64_t, const uint8_t* p) {
      for (uint32_t code; !WordStore::ends(*p);) {
        p = SymbolCodes::read(p, code);
        if (code >= counts.size()) counts.resize(code + 1);
        ++counts[code];
      }
      return p;
    });
  std::vector<uint32_t> used;
  for (uint32_t code = 0; code < counts.size(); ++code)
    if (counts[code] > 0) used.push_back(code);
  std::stable_sort(used.begin(), used.end(), [&](uint32_t a, uint32_t b) { return counts[a] > counts[b]; });
  for (auto& code : used) code = codes_.symbol(code);
  SymbolCodes old = codes_;
  codes_.deal(used);
  for_parts(true, [&](Part& part) {
    WordStore moved;
    std::vector<uint32_t> symbols;
    part.words.move_words(moved, [&](uint64_t, uint64_t count, const uint8_t* p) {
      symbols.clear();
      for (uint32_t code; !WordStore::ends(*p);) {
        p = SymbolCodes::read(p, code);
        symbols.push_back(codes_.code(old.symbol(code)));
      }
      uint8_t* to = WordStore::write_count(moved.begin_word(WordStore::kMostHead + symbols.size() * 4), count);
      for (uint32_t code : symbols) to = SymbolCodes::write(to, code);
      moved.end_word(to);
      return p;
    });
  });
}

// Closes the words up, without those of one symbol, which have nothing left to merge, and sums up all pairs.
PairSketch PairMerger::compact() {
  uint64_t bytes = word_bytes(), limit = memory_bytes_ == 0 ? kMostSketch : lists_limit_ / 4 / sizeof(uint64_t);
  PairSketch sketch(std::clamp(std::bit_ceil(std::min(bytes / 6, std::bit_floor(limit))), kLeastSketch, kMostSketch));
  for_parts(true, [&](Part& part) {
    WordStore moved;
    part.words.move_words(moved, [&](uint64_t, uint64_t count, const uint8_t* symbols) {
      uint32_t code;
      const uint8_t* end = SymbolCodes::read(symbols, code);
      if (WordStore::ends(*end)) return end;
      end = for_pairs(symbols, [&](uint32_t a, uint32_t b) {
        if (parts_.size() == 1)
          sketch.add(pair_key(a, b), count);
        else
          sketch.add_shared(pair_key(a, b), count);
      });
      auto size = static_cast<size_t>(end - symbols);
      uint8_t* to = WordStore::write_count(moved.begin_word(WordStore::kMostHead + size), count);
      moved.end_word(std::copy(symbols, end, to));
      return end;
    });
    part.words.seal();
  });
  return sketch;
}

// Counts the pairs that may reach the threshold; `list` is the number of their places for now.
void PairMerger::count(const PairSketch& sketch, uint64_t threshold, PairTable& counted) {
  std::vector<bool> frequent(sketch.sums().size());
  for (size_t i = 0; i < frequent.size(); ++i) frequent[i] = sketch.sums()[i] >= threshold;
  std::vector<PairTable> tables(parts_.size());
  for_parts(true, [&](Part& part) {
    PairTable& table = tables[static_cast<size_t>(&part - parts_.data())];
    part.words.for_words([&](uint64_t, uint64_t count, const uint8_t* p) {
      return for_pairs(p, [&](uint32_t a, uint32_t b) {
        uint64_t pair = pair_key(a, b);
        if (!frequent[pair_hash(pair) & (frequent.size() - 1)]) return;
        auto& slot = table.at(pair);
        slot.count += static_cast<int64_t>(count);
        ++slot.list;
      });
    });
  });
  counted = std::move(tables[0]);
  for (size_t i = 1; i < tables.size(); ++i)
    for (auto& slot : tables[i].slots())
      if (slot.pair != PairTable::kEmpty) {
        auto& sum = counted.at(slot.pair);
        sum.count += slot.count;
        sum.list += slot.list + 1;
      }
  for (auto& [pair, merged] : merged_) {
    PairTable::Slot* slot = counted.find(pair);
    if (slot) {
      merged.queued = true;
      slot->count += merged.count;
    } else if (merged.queued) {
      counted.at(pair).count = merged.count;
    }
  }
}

uint64_t PairMerger::list_bytes() const {
  uint64_t sum = 0;
  for (auto& part : parts_) sum += part.lists.bytes();
  return sum;
}

// What a list of so many places takes, roughly: the differences are as large as words lie between them.
uint64_t PairMerger::places_bytes(uint64_t places) const {
  if (places == 0) return 0;
  uint64_t gap = word_bytes() / places;
  return places * (gap < 100 ? 5 : gap < 8000 ? 8 : 12) / 4 + parts_.size() * 32;
}

// Those of at least a threshold that the last one, the sketch and `floor` allow; by falling count.
std::vector<PairTable::Slot> PairMerger::frequent_pairs(uint64_t floor, uint64_t at_most) {
  PairTable counted;
  {
    PairSketch sketch = compact();
    threshold_ = std::max(floor, std::min(sketch.largest() / kRatio, at_most));
    for (auto& [pair, merged] : merged_)
      if (reused_.count(pair_left(pair)) || reused_.count(pair_right(pair)))
        sketch.add(pair, static_cast<uint64_t>(std::max<int64_t>(0, merged.count)));
    count(sketch, threshold_, counted);
  }
  std::vector<PairTable::Slot> pairs;
  for (auto& slot : counted.slots())
    if (slot.pair != PairTable::kEmpty && slot.count >= static_cast<int64_t>(threshold_)) pairs.push_back(slot);
  std::sort(pairs.begin(), pairs.end(),
            [](auto& a, auto& b) { return a.count != b.count ? a.count > b.count : a.pair < b.pair; });
  return pairs;
}

// Drops the rarest until the lists of the others take half of the room, and the rest is for new pairs.
void PairMerger::fit(std::vector<PairTable::Slot>& pairs) {
  if (lists_limit_ == UINT64_MAX) return;
  uint64_t sum = 0;
  size_t fit = 0;
  for (; fit < pairs.size(); ++fit) {
    sum += places_bytes(static_cast<uint64_t>(pairs[fit].list + 1)) + 2 * sizeof(PairTable::Slot);
    if (sum > lists_limit_ / 2) break;
  }
  if (fit == pairs.size()) return;
  threshold_ = static_cast<uint64_t>(pairs[fit > 0 ? fit - 1 : 0].count);
  while (fit < pairs.size() && pairs[fit].count >= static_cast<int64_t>(threshold_)) ++fit;
  pairs.resize(fit);
}

void PairMerger::put_places() {
  for_parts(true, [&](Part& part) {
    part.words.for_words([&](uint64_t address, uint64_t, const uint8_t* p) {
      return for_pairs(p, [&](uint32_t a, uint32_t b) {
        uint64_t pair = pair_key(a, b);
        if (!tabled_.may_have(pair)) return;
        const auto* slot = std::as_const(table_).find(pair);
        if (slot && slot->list >= 0) part.lists.put(static_cast<size_t>(slot->list), address);
      });
    });
  });
}

void PairMerger::index(uint64_t floor) {
  ++stats_.passes;
  uint64_t at_most = threshold_ == 0 || stale_ || spent_ ? UINT64_MAX : std::max<uint64_t>(1, threshold_ / 2);
  stale_ = spent_ = false;
  current_ = kNoList;
  queue_.clear();
  for (auto& part : parts_) part.lists.clear();
  next_list_ = 0;
  free_lists_.clear();
  table_ = {};
  tabled_ = {};
  deal_codes();
  if (memory_bytes_ > 0) {
    uint64_t taken = word_bytes() + kFixedBytes;
    lists_limit_ = std::max(memory_bytes_ > taken ? memory_bytes_ - taken : 0, memory_bytes_ / 8);
  }
  auto pairs = frequent_pairs(floor, at_most);
  fit(pairs);
  for (auto& slot : pairs) {
    tabled_.add(slot.pair);
    auto& tabled = table_.at(slot.pair);
    tabled.count = slot.count;
    tabled.list = list_of(static_cast<uint64_t>(slot.list + 1));
    queue_.push_back({static_cast<uint64_t>(slot.count), slot.pair});
  }
  std::make_heap(queue_.begin(), queue_.end());
  put_places();
}

}  // namespace llmkit::tokenizer
