// From files to a tokenizer: what `llmkit train-tokenizer` does.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "formats/jsonl.h"
#include "tokenizer/bpe_trainer.h"
#include "tokenizer/character_trainer.h"
#include "tokenizer/coverage.h"
#include "tokenizer/unigram_trainer.h"

namespace llmkit::tokenizer {

struct TrainOptions {
  std::string algorithm = "bbpe";        // bbpe, bpe, wordpiece, unigram or char
  BpeTrainerOptions bpe;                 // vocabulary size, special tokens, pre-tokenizer and limits count for all
  std::vector<std::string> normalizers;  // specs, applied in this order
  double character_coverage = 0.9995;    // bpe, wordpiece, unigram
  bool byte_fallback = false;            // bpe, unigram
  MergeScore wordpiece_score = MergeScore::frequency;
  UnigramLoss unigram_loss = UnigramLoss::of_parts;
  int64_t unigram_seeds = 1'000'000, max_piece_characters = 16;
  formats::DocumentReaderOptions reader;
  std::vector<std::string> held_out;  // files to measure on; none = a sample of the training text
};

struct Training {
  TokenizerParts parts;
  std::vector<uint64_t> merge_counts;
  int64_t documents = 0;
  uint64_t bytes_in = 0, text_bytes = 0;  // as read (compressed), and of text
  uint64_t pieces = 0, distinct_pieces = 0;
  uint64_t memory_bytes = 0;  // of the counted pieces, at most
  uint64_t runs_bytes = 0;    // of those that went to disk
  ExternalMergesStats external;
  double log_likelihood = 0;      // Unigram: of a word
  uint64_t words_file_bytes = 0;  // Unigram: of the words, if they did not fit the memory allowed
  Coverage coverage;
  bool coverage_is_held_out = false;
  formats::BadRecords bad;
};

// Whether the pieces counted are the words of lines, as SentencePiece has them, instead of those of the pre-tokenizer.
bool has_sentences(const std::string& algorithm);

// A UsageError where the pre-tokenizer or a normalizer would leave nothing of use: spaces that are lost, or marks for
// them that do not become spaces again.
void check_steps(const TrainOptions& options);

struct TrainingEstimate;

// `on_estimate` is given what the training will need, once the first megabytes of a file have been counted.
Training train_tokenizer(Context& context, const std::vector<std::string>& inputs, const TrainOptions& options,
                         const std::function<void(const TrainingEstimate&)>& on_estimate = {});

}  // namespace llmkit::tokenizer
