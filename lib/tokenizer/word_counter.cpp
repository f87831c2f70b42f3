#include "tokenizer/word_counter.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "tokenizer/pair_merger.h"

namespace llmkit::tokenizer {
namespace {

constexpr size_t kTileBytes = size_t{1} << 20;

constexpr size_t kAhead = 16;  // slots of a shard prefetched

}  // namespace

// Pieces of one tile; the keys point into the tile's text. It is used again for the next, so that its pages stay.
class WordCounter::TileTable {
 public:
  struct Slot {
    uint64_t hash, count;
    const char* bytes;
    size_t size;
  };

  TileTable() : slots_(1 << 12) {}

  void add(std::string_view word) {
    uint64_t hash = xxh3_64(word);
    for (size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      Slot& slot = slots_[i];
      if (slot.count == 0) {
        slot = {hash, 1, word.data(), word.size()};
        if (++used_ * 2 > slots_.size()) grow();
        return;
      }
      if (slot.hash == hash && slot.size == word.size() && std::equal(word.begin(), word.end(), slot.bytes)) {
        ++slot.count;
        return;
      }
    }
  }

  // Empties the table; its slots by shard of their hash, valid until the next call.
  std::span<const Slot> take_by_shard() {
    std::array<size_t, kShards + 1> ends{};
    for (auto& slot : slots_)
      if (slot.count) ++ends[(slot.hash >> 32) % kShards + 1];
    for (size_t s = 0; s < kShards; ++s) ends[s + 1] += ends[s];
    if (filled_.size() < used_) filled_.resize(used_);
    for (auto& slot : slots_) {
      if (!slot.count) continue;
      filled_[ends[(slot.hash >> 32) % kShards]++] = slot;
      slot.count = 0;
    }
    return std::span(filled_).first(std::exchange(used_, 0));
  }

 private:
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (auto& slot : old) {
      if (!slot.count) continue;
      size_t i = slot.hash & (slots_.size() - 1);
      while (slots_[i].count) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = slot;
    }
  }

  std::vector<Slot> slots_, filled_;
  size_t used_ = 0;
};

WordCounter::WordCounter(const PreTokenizer& pretokenizer, uint64_t memory_bytes)
    : pretokenizer_(pretokenizer), memory_limit_(memory_bytes), shards_(kShards) {}
WordCounter::~WordCounter() = default;

void WordCounter::Shard::add(uint64_t hash, std::string_view word, uint64_t count) {
  auto tag = static_cast<uint32_t>(hash);
  if (word.size() > UINT32_MAX) throw Error("a piece of more than 4 GB can not be counted");
  for (size_t i = tag & (slots.size() - 1);; i = (i + 1) & (slots.size() - 1)) {
    Slot& slot = slots[i];
    if (slot.count == 0) {
      slot = {count, bytes.size(), static_cast<uint32_t>(word.size()), tag};
      bytes += word;
      if (++used * 3 > slots.size() * 2) grow();
      return;
    }
    if (slot.tag == tag && slot.size == word.size() && bytes.compare(slot.offset, slot.size, word) == 0) {
      slot.count += count;
      return;
    }
  }
}

void WordCounter::Shard::grow() {
  std::vector<Slot> old(slots.size() * 2);
  old.swap(slots);
  for (auto& slot : old) {
    if (!slot.count) continue;
    size_t i = slot.tag & (slots.size() - 1);
    while (slots[i].count) i = (i + 1) & (slots.size() - 1);
    slots[i] = slot;
  }
}

// Its words, sorted by the low half of their hash, of equals by their bytes.
std::vector<CountedWord> WordCounter::Shard::filled() const {
  std::vector<Slot> sorted;
  sorted.reserve(used);
  for (auto& slot : slots)
    if (slot.count) sorted.push_back(slot);
  std::string_view all = bytes;
  std::sort(sorted.begin(), sorted.end(), [&](const Slot& a, const Slot& b) {
    if (a.tag != b.tag) return a.tag < b.tag;
    return all.substr(a.offset, a.size) < all.substr(b.offset, b.size);
  });
  std::vector<CountedWord> words;
  words.reserve(used);
  for (auto& slot : sorted) words.push_back({all.substr(slot.offset, slot.size), slot.count});
  return words;
}

void WordCounter::Shard::see(std::array<bool, 256>& seen) const {
  for (char byte : bytes) seen[static_cast<unsigned char>(byte)] = true;
}

void WordCounter::Shard::clear() {
  slots = std::vector<Slot>(64);
  used = 0;
  bytes = {};
}

void WordCounter::add_word(std::string_view word, uint64_t count) {
  if (word.empty() || count == 0) return;
  uint64_t hash = xxh3_64(word);
  Shard& shard = shards_[(hash >> 32) % kShards];
  std::lock_guard lock(shard.mutex);
  shard.add(hash, word, count);
}

void WordCounter::add(std::span<const std::string_view> texts) {
  std::unique_ptr<TileTable> table;
  {
    std::lock_guard lock(tables_mutex_);
    if (!tables_.empty()) {
      table = std::move(tables_.back());
      tables_.pop_back();
    }
  }
  if (!table) table = std::make_unique<TileTable>();
  std::vector<size_t> ends(4096);
  for (std::string_view text : texts) {
    size_t begin = 0;
    while (size_t count = pretokenizer_.split(text, begin, ends)) {
      for (size_t i = 0; i < count; ++i) {
        table->add(text.substr(begin, ends[i] - begin));
        begin = ends[i];
      }
    }
  }
  auto slots = table->take_by_shard();
  for (size_t i = 0; i < slots.size();) {
    size_t index = (slots[i].hash >> 32) % kShards;
    Shard& shard = shards_[index];
    std::lock_guard lock(shard.mutex);
    for (; i < slots.size() && (slots[i].hash >> 32) % kShards == index; ++i) {
      if (i + kAhead < slots.size()) shard.prefetch(slots[i + kAhead].hash);
      shard.add(slots[i].hash, {slots[i].bytes, slots[i].size}, slots[i].count);
    }
  }
  std::lock_guard lock(tables_mutex_);
  tables_.push_back(std::move(table));
}

void WordCounter::add(Parallel& parallel, std::string_view text) {
  std::vector<std::string_view> tiles;
  for (size_t at = 0; at < text.size();) {
    size_t cut = pretokenizer_.breaks_at_words() ? safe_cut(text, at, at + kTileBytes) : text.size();
    tiles.push_back(text.substr(at, cut - at));
    at = cut;
  }
  parallel.for_tiles(static_cast<int64_t>(tiles.size()),
                     [&](int64_t i) { add(std::span(&tiles[static_cast<size_t>(i)], 1)); });
}

void WordCounter::make_room() {
  if (full()) spill();
}

void WordCounter::spill() {
  if (std::all_of(shards_.begin(), shards_.end(), [](auto& shard) {
        std::lock_guard lock(shard.mutex);
        return shard.used == 0;
      }))
    return;
  if (!runs_) runs_ = std::make_unique<WordRuns>("", kShards);
  runs_->begin_run();
  for (auto& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    std::vector<CountedWord> words = shard.filled();
    for (auto& word : words) gone_pieces_ += word.count;
    runs_->write_segment(words);
    shard.see(gone_bytes_);
    shard.clear();
  }
}

uint64_t WordCounter::training_bytes() const {
  Held in_memory = held();
  return memory_bytes() + in_memory.words * PairMerger::bytes_of_word(0) + PairMerger::bytes_of_word(in_memory.bytes);
}

std::vector<CountedWord> WordCounter::words() const {
  std::vector<CountedWord> out;
  for (auto& shard : shards_) {
    auto words = shard.filled();
    out.insert(out.end(), words.begin(), words.end());
  }
  return out;
}

void WordCounter::for_words(const std::function<void(const CountedWord&)>& f) {
  if (runs_) {
    spill();
    return runs_->for_words(std::max<uint64_t>(memory_limit_ / 4, size_t{1} << 20), f);
  }
  for (auto& shard : shards_)
    for (auto& word : shard.filled()) f(word);
}

void WordCounter::take_words(const std::function<void(const CountedWord&)>& f) {
  if (runs_) {
    for_words(f);
    return clear();
  }
  for (auto& shard : shards_) {
    for (auto& word : shard.filled()) {
      gone_pieces_ += word.count;
      f(word);
    }
    shard.see(gone_bytes_);
    shard.clear();
  }
}

void WordCounter::clear() {
  gone_pieces_ = pieces();
  gone_bytes_ = bytes_seen();
  runs_.reset();
  for (auto& shard : shards_) shard.clear();
}

WordCounter::Held WordCounter::held() const {
  Held held;
  for (auto& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    held.words += shard.used;
    held.bytes += shard.bytes.size();
  }
  return held;
}

std::array<bool, 256> WordCounter::bytes_seen() const {
  std::array<bool, 256> seen = gone_bytes_;
  for (auto& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    shard.see(seen);
  }
  return seen;
}

uint64_t WordCounter::pieces() const {
  uint64_t sum = gone_pieces_;
  for (auto& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    for (auto& slot : shard.slots) sum += slot.count;
  }
  return sum;
}

uint64_t WordCounter::memory_bytes() const {
  uint64_t sum = 0;
  for (auto& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    sum += shard.slots.capacity() * sizeof(Slot) + shard.bytes.capacity();
  }
  return sum;
}

}  // namespace llmkit::tokenizer
