#include "tokenizer/pair_merger.h"

#include <algorithm>
#include <array>

namespace llmkit::tokenizer {
namespace {

constexpr size_t kAhead = 32;         // words prefetched
constexpr uint64_t kFewBytes = 8192;  // of a list: not worth a second thread

}  // namespace

void PairMerger::Changes::add(Changes& other) {
  for (uint32_t symbol : other.touched) {
    Change& change = other.of[symbol];
    Change& sum = of[symbol];
    if (sum.places == 0) touched.push_back(symbol);
    sum.made += change.made;
    sum.gone += change.gone;
    sum.places += change.places;
  }
  other.clear();
}

void PairMerger::Changes::clear() {
  for (uint32_t symbol : touched) of[symbol] = {};
  touched.clear();
}

PairMerger::PairMerger(Parallel& parallel, const std::vector<int64_t>& sizes, size_t alphabet, int64_t max_size,
                       uint64_t memory_bytes)
    : parallel_(parallel),
      sizes_(sizes),
      alphabet_(alphabet),
      max_size_(max_size),
      memory_bytes_(memory_bytes),
      parts_(static_cast<size_t>(std::clamp(parallel.threads(), 1, 16))) {}

void PairMerger::add_word(std::span<const int32_t> symbols, uint64_t count) {
  if (symbols.size() < 2) return;
  // Each part gets a chunk after the other.
  Part* part = &parts_[next_part_];
  size_t most = WordStore::kMostHead + symbols.size() * 4;
  if (!part->words.has_room(most)) {
    next_part_ = (next_part_ + 1) % parts_.size();
    part = &parts_[next_part_];
  }
  uint8_t* p = WordStore::write_count(part->words.begin_word(most), count);
  for (int32_t s : symbols) p = SymbolCodes::write(p, codes_.code_or_new(static_cast<uint32_t>(s)));
  part->words.end_word(p);
}

uint64_t PairMerger::word_bytes() const {
  uint64_t sum = 0;
  for (auto& part : parts_) sum += part.words.bytes();
  return sum;
}

void PairMerger::clear_words() {
  threshold_ = 0;
  stale_ = spent_ = false;
  for (auto& part : parts_) {
    part.words.clear();
    part.lists.clear();
  }
  codes_ = {};
  queue_.clear();
  table_ = {};
  current_ = kNoList;
}

void PairMerger::push(uint64_t pair, uint64_t count) {
  queue_.push_back({count, pair});
  std::push_heap(queue_.begin(), queue_.end());
}

// A list for a pair of so many places, or kScan if there is no room for one.
int64_t PairMerger::list_of(uint64_t places) {
  if (places_bytes(places) > lists_limit_ / 2) return kScan;
  if (free_lists_.empty()) return static_cast<int64_t>(next_list_++);
  size_t list = free_lists_.back();
  free_lists_.pop_back();
  return static_cast<int64_t>(list);
}

void PairMerger::free_list(int64_t list) {
  if (list < 0) return;
  for (auto& part : parts_) part.lists.free(static_cast<size_t>(list));
  free_lists_.push_back(static_cast<size_t>(list));
}

bool PairMerger::next(uint64_t& pair, uint64_t& count) {
  free_list(current_);
  current_ = kNoList;
  if (codes_.room() == 0) spent_ = true;
  if (stale_ || spent_) return false;
  while (!queue_.empty()) {
    std::pop_heap(queue_.begin(), queue_.end());
    Candidate top = queue_.back();
    queue_.pop_back();
    PairTable::Slot* slot = table_.find(top.pair);
    auto now = static_cast<uint64_t>(std::max<int64_t>(0, slot->count));
    if (now < threshold_) {
      free_list(slot->list);
      slot->list = kNoList;
      continue;
    }
    if (now != top.count) {
      push(top.pair, now);
      continue;
    }
    pair = top.pair;
    count = now;
    current_ = slot->list;
    slot->list = kNoList;
    return true;
  }
  return false;
}

// f(address, count, symbols) for every word of a list, or of all; it returns where the symbols ended.
template <class F>
void PairMerger::for_places(Part& part, int64_t list, F&& f) {
  if (list == kScan) return part.words.for_words(f);
  WordStore::Cursor cursor(part.words);
  struct Place {
    uint64_t address;
    uint8_t* word;
  };
  std::array<Place, kAhead> ahead;
  size_t number = 0;
  auto visit = [&] {
    for (size_t i = 0; i < number; ++i) {
      uint64_t count;
      uint8_t* symbols = WordStore::read_count(ahead[i].word, count);
      f(ahead[i].address, count, symbols);
    }
    number = 0;
  };
  part.lists.for_addresses(static_cast<size_t>(list), [&](uint64_t address) {
    uint8_t* word = cursor.at(address);
    __builtin_prefetch(word);
    ahead[number++] = {address, word};
    if (number == kAhead) visit();
  });
  visit();
}

// Merges in one word from the left, and notes what that changes.
uint8_t* PairMerger::merge_word(Part& part, uint64_t count, uint8_t* p, const Codes& pair) const {
  auto more = static_cast<int64_t>(count);
  uint32_t before = SymbolCodes::kNone, c, d;
  uint8_t *kept = nullptr, *q = SymbolCodes::read(p, c);
  while (!WordStore::ends(*q)) {
    uint8_t* r = SymbolCodes::read(q, d);
    if (c != pair.left || d != pair.right) {
      if (kept) kept = std::copy(p, q, kept);
      before = c;
      c = d;
      p = q;
      q = r;
      continue;
    }
    if (!kept) kept = p;
    if (before == pair.result) {  // what was the pair of the result and the left symbol is one of two results
      part.right.at(codes_.symbol(pair.left)).made -= more;
      part.right.at(codes_.symbol(pair.result)).made += more;
    } else if (before != SymbolCodes::kNone) {
      Change& change = part.left.at(codes_.symbol(before));
      change.made += more;
      change.gone += more;
    }
    kept = SymbolCodes::write(kept, pair.result);
    before = pair.result;
    p = r;
    if (WordStore::ends(*p)) {
      q = p;
      break;
    }
    q = SymbolCodes::read(p, c);
    Change& change = part.right.at(codes_.symbol(c));
    change.made += more;
    change.gone += more;
  }
  if (kept) {
    kept = std::copy(p, q, kept);
    std::fill(kept, q, WordStore::kPad);
  }
  return q;
}

void PairMerger::merge(uint64_t pair, int32_t result, bool fresh) {
  auto token = static_cast<uint32_t>(result);
  uint64_t places = 0;
  if (current_ == kScan) {
    ++stats_.scans;
    places = UINT64_MAX;
  } else {
    for (auto& part : parts_) places += part.lists.bytes(static_cast<size_t>(current_));
  }
  bool together = places > kFewBytes;
  uint32_t code = codes_.code(token);
  if (code == SymbolCodes::kNone) code = codes_.new_of_two_bytes(token);
  Codes codes{codes_.code(pair_left(pair)), codes_.code(pair_right(pair)), code};
  for_parts(together, [&](Part& part) {
    part.left.of.resize(sizes_.size());
    part.right.of.resize(sizes_.size());
    for_places(part, current_,
               [&](uint64_t, uint64_t count, uint8_t* symbols) { return merge_word(part, count, symbols, codes); });
  });
  for (size_t i = 1; i < parts_.size(); ++i) {
    parts_[0].left.add(parts_[i].left);
    parts_[0].right.add(parts_[i].right);
  }
  gather_new_pairs(pair_left(pair), pair_right(pair), token, fresh);
  merged_[pair] = {table_.find(pair)->count, false};
  if (!fresh) {
    reused_.insert(token);
    stale_ = true;
    queue_.clear();
    return;
  }
  if (new_pairs_.empty()) return;
  table_new_pairs();
  bool any = std::any_of(new_pairs_.begin(), new_pairs_.end(), [](auto& p) { return p.list >= 0; });
  if (any)
    for_parts(together, [&](Part& part) {
      for_places(part, current_, [&](uint64_t address, uint64_t, const uint8_t* symbols) {
        return put_new_places(part, address, symbols, code);
      });
    });
  for (auto& p : new_pairs_) (p.at_left ? left_lists_[pair_left(p.pair)] : right_lists_[pair_right(p.pair)]) = kNoList;
}

// The changes that a merge noted go to the table; pairs of its result that are frequent enough to new_pairs_.
void PairMerger::gather_new_pairs(uint32_t left, uint32_t right, uint32_t result, bool fresh) {
  new_pairs_.clear();
  auto gather = [&](Changes& changes, bool at_left) {
    for (uint32_t symbol : changes.touched) {
      const Change& change = changes.of[symbol];
      uint64_t old = at_left ? pair_key(symbol, left) : pair_key(right, symbol);
      if (change.gone > 0 && tabled_.may_have(old))
        if (auto* slot = table_.find(old)) slot->count -= change.gone;
      if (fresh && change.made >= static_cast<int64_t>(threshold_) && sizes_[symbol] + sizes_[result] < max_size_)
        new_pairs_.push_back({at_left ? pair_key(symbol, result) : pair_key(result, symbol), change.made, change.places,
                              kNoList, at_left});
    }
    changes.clear();
  };
  gather(parts_[0].left, true);
  gather(parts_[0].right, false);
}

// Gives the new pairs lists, for which others may have to go.
void PairMerger::table_new_pairs() {
  uint64_t needed = 0;
  for (auto& p : new_pairs_) needed += places_bytes(p.places);
  if (lists_limit_ != UINT64_MAX && list_bytes() + needed > lists_limit_) {
    make_room();
    std::erase_if(new_pairs_, [&](auto& p) { return p.count < static_cast<int64_t>(threshold_); });
  }
  left_lists_.resize(sizes_.size(), kNoList);
  right_lists_.resize(sizes_.size(), kNoList);
  for (auto& p : new_pairs_) {
    p.list = list_of(p.places);
    auto& slot = table_.at(p.pair);
    slot.count = p.count;
    slot.list = p.list;
    tabled_.add(p.pair);
    push(p.pair, static_cast<uint64_t>(p.count));
    (p.at_left ? left_lists_[pair_left(p.pair)] : right_lists_[pair_right(p.pair)]) = p.list;
  }
}

// Raises the threshold until the lists that are left, those of the new pairs among them, leave a quarter of the room.
void PairMerger::make_room() {
  struct Held {
    int64_t count;
    uint64_t bytes;
    int64_t list;
  };
  std::vector<Held> held;
  auto bytes_of = [&](int64_t list) {
    uint64_t all = 0;
    for (auto& part : parts_) all += part.lists.bytes(static_cast<size_t>(list));
    return all;
  };
  for (auto& slot : table_.slots())
    if (slot.pair != PairTable::kEmpty && slot.list >= 0) held.push_back({slot.count, bytes_of(slot.list), slot.list});
  for (auto& p : new_pairs_) held.push_back({p.count, places_bytes(p.places), kNoList});
  std::sort(held.begin(), held.end(), [](auto& a, auto& b) { return a.count > b.count; });
  uint64_t left = lists_limit_ - lists_limit_ / 4, used = current_ >= 0 ? bytes_of(current_) : 0;
  size_t fit = 0;
  while (fit < held.size() && used + held[fit].bytes <= left) used += held[fit++].bytes;
  if (fit == held.size()) return;
  threshold_ = static_cast<uint64_t>(held[fit].count) + 1;
  for (auto& slot : table_.slots())
    if (slot.pair != PairTable::kEmpty && slot.list >= 0 && slot.count < static_cast<int64_t>(threshold_)) {
      free_list(slot.list);
      slot.list = kNoList;
    }
}

// The places of the result beside neighbours whose pairs with it are tabled.
const uint8_t* PairMerger::put_new_places(Part& part, uint64_t address, const uint8_t* p, uint32_t result) const {
  uint32_t before, code;
  p = SymbolCodes::read(p, before);
  while (!WordStore::ends(*p)) {
    p = SymbolCodes::read(p, code);
    int64_t list = before == result ? right_lists_[codes_.symbol(code)]
                   : code == result ? left_lists_[codes_.symbol(before)]
                                    : kNoList;
    if (list >= 0) part.lists.put(static_cast<size_t>(list), address);
    before = code;
  }
  return p;
}

}  // namespace llmkit::tokenizer
