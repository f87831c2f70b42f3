// Learns byte-level BPE merges from counted pieces (Gage 1994; Sennrich et al. 2016). The order is that of Hugging
// Face's BpeTrainer: the most frequent pair first, of equals the one with the smaller (left id, right id); counts are
// 64 bits.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "tokenizer/external_merges.h"
#include "tokenizer/merge_limits.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/word_counter.h"

namespace llmkit::tokenizer {

struct BpeTrainerOptions {
  int64_t vocab_size = 32768;
  uint64_t min_frequency = 2;   // of a pair, to be merged
  int64_t max_token_bytes = 0;  // no merge gives a longer token (Hugging Face's max_token_length); 0 = any
  bool whole_alphabet = true;   // all 256 bytes, seen or not
  std::vector<std::string> special_tokens{};  // get the first ids
  std::string pretokenizer = "llama3";        // noted in the result
  MergeLimits limits{};
  const TokenizerParts* extend = nullptr;  // a byte-level tokenizer whose tokens and merges stay, to be continued
};

struct BpeTraining {
  TokenizerParts parts;
  std::vector<uint64_t> merge_counts;  // how often each merged pair stood in the corpus
  uint64_t distinct_words = 0;
  ExternalMergesStats external;  // if the words did not fit the memory allowed
};

// Within context.memory_bytes; the counter's words are gone afterwards.
BpeTraining train_bbpe(Context& context, WordCounter& counter, const BpeTrainerOptions& options);

// A vocabulary of the characters (code points) of the words, by code point, without merges.
TokenizerParts train_characters(std::span<const CountedWord> words, std::span<const std::string> special_tokens);
TokenizerParts train_characters(WordCounter& counter, std::span<const std::string> special_tokens);

}  // namespace llmkit::tokenizer
