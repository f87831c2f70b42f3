// Packing: several short examples share a row, so that little of a batch is padding. Tokens see their own example only
// (block-diagonal attention) and positions start again, so a packed example gives the loss it gives alone
// (Krell et al., "Efficient sequence packing without cross-contamination", 2021).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sft/dataset.h"

namespace llmkit::sft {

struct Row {
  std::vector<int64_t> examples;  // indices, in the order in which they stand
  int64_t used = 0;               // positions of the row
};

// Best fit, longest first: each example goes to the row that it fills best, or to a new one. Deterministic.
std::vector<Row> pack_best_fit(std::span<const int64_t> lengths, int64_t capacity);
// One example a row.
std::vector<Row> pack_none(std::span<const int64_t> lengths);

// Rows as a batch, [rows, length] each. What no example fills is a document of its own without targets.
struct PackedBatch {
  std::vector<int32_t> tokens, positions, documents, targets;  // target -1: none

  void clear();
  void add_row(const Row& row, std::span<const Example> examples, int64_t length, int32_t pad);
};

}  // namespace llmkit::sft
