#include "tokenizer/train_estimate.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace llmkit::tokenizer {
namespace {

constexpr uint64_t kLeastSample = uint64_t{8} << 20, kMostSample = uint64_t{64} << 20;
constexpr uint64_t kSampleOf = 6, kPartOf = 8;        // the text is so many samples, the sample so many parts
constexpr uint64_t kProgram = uint64_t{110} << 20;    // the program and the batches read ahead, measured
constexpr uint64_t kBbpeTables = uint64_t{60} << 20;  // sketch and tables of pairs
constexpr uint64_t kBytesOfSeed = 150;
constexpr double kUsualExponent = 0.75;

// Of one distinct piece: seconds on one thread, and bytes beside the counter's. Measured on the mixed corpus of
// tests/bench/tokenizer.
struct Learning {
  double seconds = 0, bytes = 0;
  uint64_t fixed_bytes = 0;
};

Learning learning_of(const TrainOptions& options, uint64_t pieces) {
  if (options.algorithm == "char") return {2e-7};
  if (options.algorithm == "unigram")
    return {2.7e-5, 315, kBytesOfSeed * std::min(static_cast<uint64_t>(options.unigram_seeds), 3 * pieces)};
  if (options.algorithm == "bpe") return {8e-6, 17};
  if (options.algorithm == "wordpiece" && options.wordpiece_score == MergeScore::likelihood) return {1e-3, 900};
  if (options.algorithm == "wordpiece") return {4e-6, 17};
  return {5.6e-6, 17, kBbpeTables};
}

}  // namespace

uint64_t extrapolate_distinct(uint64_t part_bytes, uint64_t part_distinct, uint64_t sample_bytes,
                              uint64_t sample_distinct, uint64_t text_bytes) {
  if (text_bytes <= sample_bytes || sample_bytes <= part_bytes || part_distinct == 0 || part_bytes == 0)
    return sample_distinct;
  double exponent = std::log(static_cast<double>(sample_distinct) / static_cast<double>(part_distinct)) /
                    std::log(static_cast<double>(sample_bytes) / static_cast<double>(part_bytes));
  // One large document more or less moves it much: half way to that of mixed corpora.
  exponent = (std::clamp(exponent, 0.0, 1.0) + kUsualExponent) / 2;
  return static_cast<uint64_t>(static_cast<double>(sample_distinct) *
                               std::pow(static_cast<double>(text_bytes) / static_cast<double>(sample_bytes), exponent));
}

TrainingEstimator::TrainingEstimator(Context& context, const TrainOptions& options,
                                     std::function<void(const TrainingEstimate&)> give)
    : context_(context), options_(options), give_(std::move(give)), start_(std::chrono::steady_clock::now()) {}

void TrainingEstimator::look(const WordCounter& counter, uint64_t text_bytes, uint64_t bytes_in,
                             uint64_t total_bytes_in) {
  if (done_ || !give_) return;
  if (total_bytes_in == 0) return;
  // Threads are ahead of the batches that have come: what they have counted belongs to what the counter holds.
  uint64_t counted = counted_;
  WordCounter::Held held = counter.held();
  double all = static_cast<double>(text_bytes) * static_cast<double>(std::max(total_bytes_in, bytes_in)) /
               static_cast<double>(std::max<uint64_t>(1, bytes_in));
  uint64_t sample = std::clamp(static_cast<uint64_t>(all) / kSampleOf, kLeastSample, kMostSample);
  if (part_bytes_ == 0 && counted >= sample / kPartOf) part_bytes_ = counted, part_distinct_ = held.words;
  bool enough = text_bytes >= sample && counted >= 2 * part_bytes_;
  if (bytes_in == 0 || !(enough || counter.full())) return;  // what goes to disk is not counted any more
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  give(held, counted, static_cast<uint64_t>(all), seconds * all / static_cast<double>(counted));
}

void TrainingEstimator::finish(const WordCounter& counter, uint64_t text_bytes) {
  if (done_ || !give_ || counter.spilled() || text_bytes == 0) return;
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  give(counter.held(), text_bytes, text_bytes, seconds);
}

void TrainingEstimator::give(const WordCounter::Held& held, uint64_t sample_bytes, uint64_t text_bytes,
                             double seconds) {
  done_ = true;
  TrainingEstimate e;
  e.sample_bytes = sample_bytes;
  e.text_bytes = std::max(sample_bytes, text_bytes);
  uint64_t distinct = std::max<uint64_t>(1, held.words);
  e.distinct_pieces = extrapolate_distinct(part_bytes_, part_distinct_, sample_bytes, distinct, e.text_bytes);
  auto n = static_cast<double>(e.distinct_pieces);
  double letters = static_cast<double>(held.bytes) / static_cast<double>(distinct);
  Learning learning = learning_of(options_, e.distinct_pieces);
  double learn = n * learning.seconds / std::max(1, context_.parallel.threads());
  e.memory_bytes = kProgram + learning.fixed_bytes +
                   static_cast<uint64_t>(n * (WordCounter::kBytesOfWord + letters + learning.bytes));
  e.seconds = seconds + learn;
  if (context_.memory_bytes > 0 && e.memory_bytes > context_.memory_bytes) {
    e.memory_bytes = std::max(context_.memory_bytes, kProgram);
    e.seconds += learn;  // passes over words on disk, or with few lists at a time
  }
  give_(e);
}

}  // namespace llmkit::tokenizer
