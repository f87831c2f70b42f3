// BPE on characters, as Hugging Face's trainers do it (count, then the smaller pair): SentencePiece-like vocabularies
// with "▁" and byte fallback, and WordPiece, whose pieces inside a word carry "##" (Schuster and Nakajima, "Japanese
// and Korean voice search", 2012). Ids: special tokens, bytes, characters by code point, continued ones, merges;
// nothing depends on the order of a hash table.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "tokenizer/bpe_trainer.h"

namespace llmkit::tokenizer {

// What a WordPiece merge is chosen by: the pair's count, or how much more often it stands together than its parts
// would by chance, count(ab) / (count(a) count(b)).
enum class MergeScore { frequency, likelihood };

struct CharacterTrainerOptions {
  MergeLearnerOptions merges;
  double character_coverage = 0.9995;  // share of the text that the characters must make up; the rest is unknown
  bool byte_fallback = false;          // unknown characters are spelled by 256 byte tokens
  std::string word_prefix;             // "##": WordPiece
  MergeScore score = MergeScore::frequency;
  std::vector<std::string> special_tokens;
};

// `word_of` turns a counted piece into the word to learn from, "" for none.
BpeTraining train_characters_bpe(Context& context, WordCounter& counter,
                                 const std::function<std::string(std::string_view)>& word_of,
                                 const CharacterTrainerOptions& options);

void add_special_tokens(TokenizerParts& parts, std::span<const std::string> contents);
// <0x00> … <0xFF>.
void add_byte_tokens(TokenizerParts& parts);

}  // namespace llmkit::tokenizer
