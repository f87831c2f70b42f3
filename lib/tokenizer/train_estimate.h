// What a training will need, from a sample of its input. The number of distinct pieces grows as a power of the text's
// size (Heaps, "Information retrieval", 1978), whose exponent the sample gives; memory follows that number. The time is
// the sample's for counting and, for learning, that of the machine on which the constants were measured: an order of
// magnitude.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/train.h"

namespace llmkit::tokenizer {

struct TrainingEstimate {
  uint64_t sample_bytes = 0, text_bytes = 0, distinct_pieces = 0, memory_bytes = 0;
  double seconds = 0;
};

// Nothing where the input can not be read twice (standard input) or its size is not known.
std::optional<TrainingEstimate> estimate_training(Context& context, const std::vector<std::string>& inputs,
                                                  const TrainOptions& options);

// The extrapolation alone: distinct pieces of `text_bytes`, from those of a part of the sample and of all of it.
uint64_t extrapolate_distinct(uint64_t part_bytes, uint64_t part_distinct, uint64_t sample_bytes,
                              uint64_t sample_distinct, uint64_t text_bytes);

}  // namespace llmkit::tokenizer
