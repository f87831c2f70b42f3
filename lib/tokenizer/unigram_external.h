// The beginning of a Unigram training whose words do not fit memory: what code_words and find_seeds give, with the
// words in a file. The results are the same to the bit: nothing in them depends on the order of the words.
//   1. The pieces of the counter, without spaces around them, are sorted on disk: those inside a line and those at its
//      end apart, as a word's two counts are one in the lattices. Their characters are counted.
//   2. Both are read side by side; each word goes to the file as numbers, and what follows each of its characters, as
//   far
//      as a piece and the character behind it reach, to be sorted on disk.
//   3. In the order of these suffixes the nodes of their tree close one after the other (Kasai et al., "Linear-time
//      longest-common-prefix computation in suffix arrays", 2001); the best ones are kept.
#pragma once

#include <memory>
#include <vector>

#include "base/context.h"
#include "tokenizer/unigram_trainer.h"
#include "tokenizer/word_file.h"

namespace llmkit::tokenizer {

struct ExternalUnigram {
  UnigramCorpus corpus;  // its text holds the seeds alone, and it has no entries
  std::vector<UnigramSeed> seeds;
  std::unique_ptr<WordFile> words;  // as numbers of characters
  uint64_t distinct_pieces = 0;     // of the counter
};

// Takes the words of the counter, within context.memory_bytes.
ExternalUnigram begin_external_unigram(Context& context, WordCounter& counter, const UnigramOptions& options);

}  // namespace llmkit::tokenizer
