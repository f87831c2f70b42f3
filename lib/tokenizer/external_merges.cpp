#include "tokenizer/external_merges.h"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>

#include "tokenizer/bpe.h"
#include "tokenizer/word_file.h"

namespace llmkit::tokenizer {
namespace {

constexpr uint64_t kSample = 1 << 16, kMostStride = 64;  // words looked at to choose a threshold, at least
constexpr uint64_t kWordShare = 85;  // percent of the memory that all words may take: few lists cost passes over the
                                     // words, bands over a file cost many more
constexpr size_t kClasses = 252;     // of 64-bit counts

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
  ExternalMerges(Context& context, MergeLearner& learner, TokenizerParts& parts, uint64_t memory_bytes)
      : context_(context),
        learner_(learner),
        parts_(parts),
        merger_(context.parallel, learner.sizes(), parts.tokens.size(), learner.max_size(), memory_bytes),
        load_bytes_(memory_bytes / 2),
        words_limit_(memory_bytes / 100 * kWordShare),
        sketch_slots_(
            std::clamp<uint64_t>(std::bit_floor(memory_bytes / 8 / sizeof(uint64_t)), 1 << 12, uint64_t{1} << 28)) {}

  void put(std::span<const int32_t> symbols, uint64_t count) {
    if (symbols.size() < 2) return;
    ++stats_.words;
    if (file_) return file_->put(symbols, count);
    merger_.add_word(symbols, count);
    if (merger_.word_bytes() <= words_limit_) return;
    file_ = std::make_unique<WordFile>();
    merger_.take_words([&](std::span<const int32_t> taken, uint64_t of_taken) { file_->put(taken, of_taken); });
  }

  ExternalMergesStats run() {
    if (!file_) return merge_all();
    file_->finish();
    sketch_ = PairSketch(sketch_slots_);
    count_all();
    while (!learner_.full()) {
      if (file_->bytes() <= words_limit_) {
        file_->for_blocks<WordBlock>(
            context_, [](const WordBlock& words, WordBlock& all) { all = words; },
            [&](const WordBlock& all) {
              all.for_words([&](std::vector<int32_t>& symbols, uint64_t count) { merger_.add_word(symbols, count); });
            });
        file_.reset();
        sketch_ = PairSketch(1);
        return merge_all();
      }
      uint64_t top = sketch_.largest();
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
      if (!learner_.full()) apply(std::span(parts_.merges).subspan(before));
    }
    return stats_;
  }

 private:
  // All words that are left fit.
  ExternalMergesStats merge_all() {
    int passes = merger_.stats().passes;
    learner_.merge_down_to(merger_, learner_.floor());
    stats_.passes = merger_.stats().passes - passes;
    stats_.scans = merger_.stats().scans;
    return stats_;
  }

  template <class F>
  void for_pairs(const std::vector<int32_t>& symbols, F&& f) const {
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      auto a = static_cast<uint32_t>(symbols[i]), b = static_cast<uint32_t>(symbols[i + 1]);
      if (merger_.counts_pair(a, b)) f(pair_key(a, b));
    }
  }

  // Every stride-th word of a block, from which a threshold is chosen; any choice is correct, a good one is fast.
  class Sampler {
   public:
    explicit Sampler(uint64_t words) : stride_(std::clamp<uint64_t>(words / kSample, 1, kMostStride)) {}
    uint64_t stride() const { return stride_; }
    void offer(uint64_t number, std::span<const int32_t> symbols, uint64_t count, WordBlock& out) const {
      if (number % stride_ == 0) out.put(symbols, count);
    }

   private:
    uint64_t stride_;
  };

  void count_all() {
    stats_.file_bytes = file_->bytes();
    Sampler sampler(file_->words());
    stride_ = sampler.stride();
    file_->for_blocks<WordBlock>(
        context_,
        [&](const WordBlock& words, WordBlock& sample) {
          uint64_t number = 0;
          words.for_words([&](std::vector<int32_t>& symbols, uint64_t count) {
            for_pairs(symbols, [&](uint64_t pair) { sketch_.add_shared(pair, count); });
            sampler.offer(number++, symbols, count, sample);
          });
        },
        [&](const WordBlock& sample) { sample_.append(sample); });
  }

  // Writes the words anew with these merges applied; the sketch follows the words that change.
  void apply(std::span<const Merge> merges) {
    BpeMerger merger(merges);
    PairFilter first;
    for (auto& m : merges) first.add(pair_key(static_cast<uint32_t>(m.left), static_cast<uint32_t>(m.right)));
    Sampler sampler(file_->words());
    stride_ = sampler.stride();
    sample_.clear();
    auto written = std::make_unique<WordFile>();
    struct Result {
      WordBlock words, sample;
    };
    file_->for_blocks<Result>(
        context_,
        [&](const WordBlock& words, Result& result) {
          BpeMerger::Scratch scratch;
          std::vector<int32_t> old;
          uint64_t number = 0;
          words.copy_if(result.words, [&](std::vector<int32_t>& symbols, uint64_t count) {
            bool touched = false;
            for (size_t i = 0; i + 1 < symbols.size() && !touched; ++i)
              touched =
                  first.may_have(pair_key(static_cast<uint32_t>(symbols[i]), static_cast<uint32_t>(symbols[i + 1])));
            size_t before = symbols.size();
            if (touched) {
              old = symbols;
              merger.merge(symbols, 0, scratch);
            }
            bool changed = symbols.size() < before;
            if (changed) {
              for_pairs(old, [&](uint64_t pair) { sketch_.add_shared(pair, uint64_t{0} - count); });
              for_pairs(symbols, [&](uint64_t pair) { sketch_.add_shared(pair, count); });
              if (symbols.size() > 1) result.words.put(symbols, count);
            }
            if (symbols.size() > 1) sampler.offer(number++, symbols, count, result.sample);
            return !changed;
          });
        },
        [&](const Result& result) {
          written->put(result.words);
          sample_.append(result.sample);
        });
    written->finish();
    file_ = std::move(written);
  }

  uint64_t bound(const std::vector<int32_t>& symbols) const {
    uint64_t most = 0;
    for_pairs(symbols, [&](uint64_t pair) { most = std::max(most, sketch_.bound(pair)); });
    return std::min(most, ceiling_ - 1);
  }

  // The lowest threshold for which the words seem to fit, at least the floor; beyond any count if there is none.
  uint64_t choose_threshold() {
    std::array<uint64_t, kClasses> bytes{}, words{};
    sample_.for_words([&](std::vector<int32_t>& symbols, uint64_t) {
      size_t c = class_of(bound(symbols));
      bytes[c] += stride_ * PairMerger::bytes_of_word(symbols.size());
      words[c] += stride_;
    });
    uint64_t sum = 0;
    uint64_t words_to_load = 0;
    uint64_t threshold = UINT64_MAX;
    for (size_t c = kClasses; c-- > 0;) {
      sum += bytes[c];
      if (sum > load_bytes_) break;
      words_to_load += words[c];
      threshold = least_of(c);
      if (threshold <= learner_.floor()) break;
    }
    return words_to_load == 0 ? UINT64_MAX : std::max(threshold, learner_.floor());
  }

  void load(uint64_t threshold) {
    PairSketchFilter frequent(sketch_, threshold);
    merger_.clear_words();
    file_->for_blocks<WordBlock>(
        context_,
        [&](const WordBlock& words, WordBlock& chosen) {
          words.copy_if(chosen, [&](std::vector<int32_t>& symbols, uint64_t) {
            bool needed = false;
            for_pairs(symbols, [&](uint64_t pair) { needed = needed || frequent.has(pair); });
            return needed;
          });
        },
        [&](const WordBlock& chosen) {
          chosen.for_words([&](std::vector<int32_t>& symbols, uint64_t count) { merger_.add_word(symbols, count); });
        });
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
    for (uint64_t least = std::max<uint64_t>(1, top / 4);; least /= 4) {
      PairSketchFilter frequent(sketch_, least);
      PairTable counted;
      struct Pairs {
        PairTable table;
      };
      file_->for_blocks<Pairs>(
          context_,
          [&](const WordBlock& words, Pairs& pairs) {
            words.for_words([&](std::vector<int32_t>& symbols, uint64_t count) {
              for_pairs(symbols, [&](uint64_t pair) {
                if (frequent.has(pair)) pairs.table.at(pair).count += static_cast<int64_t>(count);
              });
            });
          },
          [&](Pairs& pairs) {
            for (auto& slot : pairs.table.slots())
              if (slot.pair != PairTable::kEmpty) counted.at(slot.pair).count += slot.count;
          });
      uint64_t best = 0, most = 0;
      for (auto& slot : counted.slots()) {
        if (slot.pair == PairTable::kEmpty || refused_.count(slot.pair)) continue;
        auto count = static_cast<uint64_t>(slot.count);
        if (count > most || (count == most && slot.pair < best)) best = slot.pair, most = count;
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

  Context& context_;
  MergeLearner& learner_;
  TokenizerParts& parts_;
  PairMerger merger_;
  uint64_t load_bytes_, words_limit_;
  std::unique_ptr<WordFile> file_;  // none: the merger has all words
  uint64_t sketch_slots_;
  PairSketch sketch_{1};
  WordBlock sample_;
  uint64_t stride_ = 1;
  std::unordered_set<uint64_t> refused_;
  uint64_t ceiling_ = UINT64_MAX;  // no pair counts as much
  ExternalMergesStats stats_;
};

}  // namespace

ExternalMergesStats learn_external_merges(
    Context& context, MergeLearner& learner, TokenizerParts& parts,
    const std::function<void(const std::function<void(std::span<const int32_t>, uint64_t)>&)>& for_words) {
  ExternalMerges merges(context, learner, parts, context.memory_bytes);
  for_words([&](std::span<const int32_t> symbols, uint64_t count) { merges.put(symbols, count); });
  return merges.run();
}

}  // namespace llmkit::tokenizer
