#include "tokenizer/external_merges.h"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>

#include "tokenizer/bpe.h"

namespace llmkit::tokenizer {
namespace {

constexpr size_t kReadBuffer = size_t{1} << 20;
constexpr size_t kClasses = 252;  // of 64-bit counts

// Counts in classes of a quarter of an octave: class_of rises with the count, least_of is the least count of a class.
size_t class_of(uint64_t count) {
  if (count < 4) return count;
  int octave = std::bit_width(count) - 1;
  return static_cast<size_t>(octave) * 4 + (count >> (octave - 2) & 3) - 4;
}
uint64_t least_of(size_t c) {
  if (c < 4) return c;
  return (4 + c % 4) << (c / 4 - 1);
}

class ExternalMerges {
 public:
  ExternalMerges(MergeLearner& learner, TokenizerParts& parts, uint64_t memory_bytes)
      : learner_(learner),
        parts_(parts),
        merger_(learner.sizes(), parts.tokens.size(), learner.max_size()),
        load_bytes_(memory_bytes / 2),
        sketch_slots_(
            std::clamp<uint64_t>(std::bit_floor(memory_bytes / 8 / sizeof(uint64_t)), 1 << 12, uint64_t{1} << 28)) {}

  void put(std::span<const int32_t> symbols, uint64_t count) { put(*writing(), symbols, count); }

  ExternalMergesStats run() {
    file_ = std::move(writing_);
    while (!learner_.full()) {
      rewrite();
      uint64_t top = sketch_->largest();
      if (top < learner_.floor()) break;
      uint64_t threshold = choose_threshold();
      size_t before = parts_.merges.size();
      bool stale = false;
      if (threshold > top) {
        if (!merge_one(top)) break;
        ++stats_.single_merges;
        ceiling_ = UINT64_MAX;
      } else {
        load(threshold);
        stale = merge_loaded(threshold);
        ++stats_.bands;
        if (!stale && threshold <= learner_.floor()) break;
        ceiling_ = stale ? UINT64_MAX : threshold;
      }
      pending_.assign(parts_.merges.begin() + static_cast<ptrdiff_t>(before), parts_.merges.end());
    }
    return stats_;
  }

 private:
  RecordFile* writing() {
    if (!writing_) writing_ = std::make_unique<RecordFile>("");
    return writing_.get();
  }

  static void put(RecordFile& file, std::span<const int32_t> symbols, uint64_t count) {
    if (symbols.size() < 2) return;
    file.put_number(symbols.size());
    file.put_number(count);
    for (int32_t s : symbols) file.put_number(static_cast<uint64_t>(s));
  }

  template <class F>
  void for_words(F&& f) {
    file_->flush();
    RecordReader reader(file_->fd(), 0, file_->size(), kReadBuffer);
    std::vector<int32_t> symbols;
    while (!reader.done()) {
      symbols.resize(reader.number());
      uint64_t count = reader.number();
      for (auto& s : symbols) s = static_cast<int32_t>(reader.number());
      f(symbols, count);
    }
  }

  template <class F>
  void for_pairs(const std::vector<int32_t>& symbols, F&& f) const {
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      auto a = static_cast<uint32_t>(symbols[i]), b = static_cast<uint32_t>(symbols[i + 1]);
      if (merger_.counts_pair(a, b)) f(pair_key(a, b));
    }
  }

  void rewrite() {
    BpeMerger apply(pending_);
    BpeMerger::Scratch scratch;
    sketch_ = std::make_unique<PairSketch>(sketch_slots_);
    writing_.reset();
    stats_.words = 0;
    for_words([&](std::vector<int32_t>& symbols, uint64_t count) {
      if (!pending_.empty()) apply.merge(symbols, 0, scratch);
      put(*writing(), symbols, count);
      ++stats_.words;
      for_pairs(symbols, [&](uint64_t pair) { sketch_->add(pair, count); });
    });
    writing();
    file_ = std::move(writing_);
    stats_.file_bytes = std::max(stats_.file_bytes, file_->size());
  }

  uint64_t bound(const std::vector<int32_t>& symbols) const {
    uint64_t most = 0;
    for_pairs(symbols, [&](uint64_t pair) { most = std::max(most, sketch_->bound(pair)); });
    return std::min(most, ceiling_ - 1);
  }

  // The lowest threshold for which the words fit, at least the floor; beyond any count if there is none.
  uint64_t choose_threshold() {
    std::array<uint64_t, kClasses> bytes{}, words{}, symbols_of{};
    for_words([&](std::vector<int32_t>& symbols, uint64_t) {
      size_t c = class_of(bound(symbols));
      bytes[c] += PairMerger::bytes_of_word(symbols.size());
      ++words[c];
      symbols_of[c] += symbols.size();
    });
    uint64_t sum = 0;
    words_to_load_ = symbols_to_load_ = 0;
    uint64_t threshold = UINT64_MAX;
    for (size_t c = kClasses; c-- > 0;) {
      sum += bytes[c];
      if (sum > load_bytes_) break;
      words_to_load_ += words[c];
      symbols_to_load_ += symbols_of[c];
      threshold = least_of(c);
      if (threshold <= learner_.floor()) break;
    }
    return words_to_load_ == 0 ? UINT64_MAX : std::max(threshold, learner_.floor());
  }

  void load(uint64_t threshold) {
    merger_.clear_words();
    merger_.reserve(words_to_load_, symbols_to_load_);
    for_words([&](std::vector<int32_t>& symbols, uint64_t count) {
      if (bound(symbols) >= threshold) merger_.add_word(symbols, count);
    });
    sketch_.reset();
  }

  // As learner_.merge_down_to, but a token made a second way ends the band, and true is returned: its pairs may stand
  // in other words too.
  bool merge_loaded(uint64_t threshold) {
    uint64_t pair = 0, count = 0;
    merger_.index(threshold);
    while (!learner_.full() && !merger_.stale()) {
      if (!merger_.next(pair, count)) {
        if (merger_.exhausted(threshold)) break;
        merger_.index(threshold);
        continue;
      }
      bool fresh = false;
      int32_t token = learner_.take(pair, count, fresh);
      if (token >= 0) merger_.merge(pair, token, fresh);
    }
    bool stale = merger_.stale();
    merger_.clear_words();
    return stale;
  }

  // Takes the most frequent pair without loading words; false when there is none of the floor.
  bool merge_one(uint64_t top) {
    for (uint64_t least = top;; least /= 4) {
      PairTable counted;
      for_words([&](std::vector<int32_t>& symbols, uint64_t count) {
        for_pairs(symbols, [&](uint64_t pair) {
          if (sketch_->bound(pair) >= least && !refused_.count(pair))
            counted.at(pair).count += static_cast<int64_t>(count);
        });
      });
      uint64_t best = 0, most = 0;
      for (auto& slot : counted.slots()) {
        auto count = static_cast<uint64_t>(slot.count);
        if (slot.pair != PairTable::kEmpty && (count > most || (count == most && slot.pair < best)))
          best = slot.pair, most = count;
      }
      if (most >= least && most >= learner_.floor()) {
        bool fresh = false;
        if (learner_.take(best, most, fresh) < 0)
          refused_.insert(best);
        else
          merger_.note_merged(best, most);
        return true;
      }
      if (least <= learner_.floor()) return false;
    }
  }

  MergeLearner& learner_;
  TokenizerParts& parts_;
  PairMerger merger_;
  uint64_t load_bytes_;
  size_t sketch_slots_;
  std::unique_ptr<RecordFile> file_, writing_;
  std::unique_ptr<PairSketch> sketch_;
  std::vector<Merge> pending_;
  std::unordered_set<uint64_t> refused_;
  uint64_t ceiling_ = UINT64_MAX;  // no pair counts as much
  uint64_t words_to_load_ = 0, symbols_to_load_ = 0;
  ExternalMergesStats stats_;
};

}  // namespace

ExternalMergesStats learn_external_merges(
    MergeLearner& learner, TokenizerParts& parts, uint64_t memory_bytes,
    const std::function<void(const std::function<void(const CountedWord&)>&)>& for_words,
    const std::function<void(std::string_view, std::vector<int32_t>&)>& encode) {
  ExternalMerges merges(learner, parts, memory_bytes);
  std::vector<int32_t> symbols;
  for_words([&](const CountedWord& word) {
    symbols.clear();
    encode(word.bytes, symbols);
    merges.put(symbols, word.count);
  });
  return merges.run();
}

}  // namespace llmkit::tokenizer
