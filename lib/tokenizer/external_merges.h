// BPE training on more words than fit memory. The words lie in a file, as symbols; training goes in bands of falling
// count. For each band the file is read three times:
//   1. the last band's merges are applied to every word, which is written anew, and all pairs are counted in a sketch;
//   2. for every word, the bound of its most frequent pair says from which threshold on it would be needed: the lowest
//      threshold whose words fit the budget is chosen;
//   3. these words are loaded, and merged until no pair of the threshold is left.
// A pair of at least the threshold stands only in loaded words, so its count is exact, and so is every decision. Where
// the words of the most frequent pair alone do not fit, that one is merged without loading any.
// Memory: the words loaded (half of the budget), the sketch (an eighth), and the tables of the frequent pairs.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tokenizer/merge_learner.h"
#include "tokenizer/word_runs.h"

namespace llmkit::tokenizer {

struct ExternalMergesStats {
  int bands = 0, single_merges = 0;
  uint64_t file_bytes = 0, words = 0;
};

// `for_words` gives the words once; `encode` turns one into symbols.
ExternalMergesStats learn_external_merges(
    MergeLearner& learner, TokenizerParts& parts, uint64_t memory_bytes,
    const std::function<void(const std::function<void(const CountedWord&)>&)>& for_words,
    const std::function<void(std::string_view, std::vector<int32_t>&)>& encode);

}  // namespace llmkit::tokenizer
