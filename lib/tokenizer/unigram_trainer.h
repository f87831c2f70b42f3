// Unigram language model vocabularies as SentencePiece learns them (Kudo, "Subword regularization", 2018): from many
// candidates, expectation-maximisation of their probabilities alternates with dropping the quarter whose loss would
// lower the likelihood least, until the wanted number is left.
//
// Expected counts are summed as integers of 2^-20, so that no order of summation, and no thread count, changes a bit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "tokenizer/unigram_seeds.h"
#include "tokenizer/word_counter.h"

namespace llmkit::tokenizer {

// What dropping a piece adds to the number of all tokens: its own occurrences × (parts of its second reading - 1), or,
// as a slip in SentencePiece up to 0.1.97 that Hugging Face's port has kept, × (number of all pieces - 1).
enum class UnigramLoss { of_parts, of_table };

struct UnigramOptions {
  int64_t pieces = 32000 - 3;  // wanted, without special and byte tokens
  int64_t vocab_size = 32000;  // with them: pruning stops at 1.1 times this, as SentencePiece does
  double shrinking_factor = 0.75;
  int sub_iterations = 2;
  double character_coverage = 0.9995;
  UnigramLoss loss = UnigramLoss::of_parts;
  bool tabs = true;  // are characters, as since 0.2; unknown before
  UnigramSeedOptions seeds;
};

struct UnigramTraining {
  std::vector<std::string> pieces;  // UTF-8, "▁" for a space; best first
  std::vector<float> scores;        // natural logarithms of their probabilities
  double log_likelihood = 0;        // of all words under the last expectation step, per word
  uint64_t seeds = 0, distinct_pieces = 0, distinct_words = 0, memory_bytes = 0;
  uint64_t file_bytes = 0;  // of the words, if they did not fit the memory allowed
  int rounds = 0;           // of pruning
};

// The counter's pieces are words as " the" and " the\n" (see unigram_corpus.h); they are gone afterwards. Within
// context.memory_bytes, with the words in files if need be (see unigram_external.h): the same pieces and scores.
UnigramTraining train_unigram(Context& context, WordCounter& counter, const UnigramOptions& options);

}  // namespace llmkit::tokenizer
