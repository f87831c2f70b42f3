// BPE training on more words than fit memory as a counter holds them. Mostly their symbols fit (PairMerger), with lists
// of only as many pairs at a time as there is room for. Where not even these do, the words lie in a file and all pairs
// are counted in a sketch; training goes in bands of falling count until what is left of the words fits. For each band
// the file is read twice:
//   1. for every word, the bound of its most frequent pair says from which threshold on it would be needed: the words
//      of the lowest threshold that fits the budget (chosen on a sample) are loaded, and merged until no pair of the
//      threshold is left;
//   2. these merges are applied to every word, which is written anew; the sketch follows the words that change.
// A pair of at least the threshold stands only in loaded words, so its count is exact, and so is every decision. Where
// the words of the most frequent pair alone do not fit, that one is merged without loading any.
// Memory: the words loaded (half of the budget), the sketch (an eighth), and the tables of the frequent pairs.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/context.h"
#include "tokenizer/merge_learner.h"

namespace llmkit::tokenizer {

struct ExternalMergesStats {
  int bands = 0, single_merges = 0;  // with the words in a file
  int passes = 0, scans = 0;         // with the words in memory: see PairMergerStats
  uint64_t file_bytes = 0, words = 0;
};

// `for_words` gives the words once, as symbols, within context.memory_bytes.
ExternalMergesStats learn_external_merges(
    Context& context, MergeLearner& learner, TokenizerParts& parts,
    const std::function<void(const std::function<void(std::span<const int32_t>, uint64_t)>&)>& for_words);

}  // namespace llmkit::tokenizer
