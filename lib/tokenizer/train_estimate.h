// What a training will need, said while the first megabytes are counted. The number of distinct pieces grows as a power
// of the text's size (Heaps, "Information retrieval", 1978), whose exponent these give; memory follows that number. The
// time is that of the counting so far and, for learning, that of the machine on which the constants were measured.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "tokenizer/train.h"
#include "tokenizer/word_counter.h"

namespace llmkit::tokenizer {

struct TrainingEstimate {
  uint64_t sample_bytes = 0, text_bytes = 0, distinct_pieces = 0, memory_bytes = 0;
  double seconds = 0;
};

// Follows the counting of a corpus and gives one estimate of the whole.
class TrainingEstimator {
 public:
  TrainingEstimator(Context& context, const TrainOptions& options, std::function<void(const TrainingEstimate&)> give);
  void counted(uint64_t bytes) { counted_ += bytes; }  // by any thread, after it has counted so much text
  // Between batches: of `bytes_in` of `total_bytes_in` (0: unknown, then there is no estimate) came `text_bytes` of
  // text.
  void look(const WordCounter& counter, uint64_t text_bytes, uint64_t bytes_in, uint64_t total_bytes_in);
  // All has been counted; gives the estimate if it was too little to look at before.
  void finish(const WordCounter& counter, uint64_t text_bytes);

 private:
  void give(const WordCounter::Held& held, uint64_t sample_bytes, uint64_t text_bytes, double seconds);

  Context& context_;
  const TrainOptions& options_;
  std::function<void(const TrainingEstimate&)> give_;
  std::chrono::steady_clock::time_point start_;
  std::atomic<uint64_t> counted_{0};
  uint64_t part_bytes_ = 0, part_distinct_ = 0;
  bool done_ = false;
};

// The extrapolation alone: distinct pieces of `text_bytes`, from those of a part of the sample and of all of it.
uint64_t extrapolate_distinct(uint64_t part_bytes, uint64_t part_distinct, uint64_t sample_bytes,
                              uint64_t sample_distinct, uint64_t text_bytes);

}  // namespace llmkit::tokenizer
