// The candidates of a Unigram training: substrings that stand at least twice in the text and can be followed by two
// different characters (the internal nodes of its suffix tree), by occurrences × length (Kudo, "Subword
// regularization", 2018). They are those of SentencePiece, which builds the suffix array of all lines; words counted
// once with their number give the same, because no piece reaches over a space, and a word knows what follows it.
//
// `of_bytes`: since 0.2.2 its suffix array is one of bytes. What follows a candidate must then differ in the first byte
// of its next character, so that scripts whose letters share it give fewer candidates.
#pragma once

#include <cstdint>
#include <vector>

#include "base/context.h"
#include "tokenizer/unigram_corpus.h"

namespace llmkit::tokenizer {

struct UnigramSeed {
  uint64_t score = 0;
  uint32_t begin = 0;  // in the corpus's text
  uint32_t size = 0;
};

struct UnigramSeedOptions {
  size_t most = 1'000'000;  // besides the characters
  uint32_t max_characters = 16;
  bool split_scripts = true;  // a piece is of one script
  bool split_numbers = true;  // ASCII digits are a script of their own
  bool split_digits = false;  // every digit stands alone
  bool of_bytes = true;       // as SentencePiece since 0.2.2 finds them
};

// The characters by falling count, then the best substrings by falling score.
std::vector<UnigramSeed> find_seeds(Context& context, const UnigramCorpus& corpus, const UnigramSeedOptions& options);

}  // namespace llmkit::tokenizer
