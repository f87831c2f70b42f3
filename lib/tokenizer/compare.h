// How tokenizers fit the same texts, side by side.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/coverage.h"

namespace llmkit::tokenizer {

struct Sample {
  std::string text;
  std::string language;  // "" = guessed from the text
};

struct LanguageFit : TextSizes {
  std::string language;
  int64_t documents = 0, tokens = 0;
  double tokens_per_word() const { return words ? static_cast<double>(tokens) / static_cast<double>(words) : 0; }
  double tokens_per_character() const {
    return characters ? static_cast<double>(tokens) / static_cast<double>(characters) : 0;
  }
};

struct Fit {
  Coverage coverage;
  int64_t vocabulary = 0;              // tokens that there are
  double renyi = 0;                    // efficiency of order 2.5
  double shannon = 0;                  // efficiency of order 1
  int64_t unknown_tokens = 0;          // the unknown token, where there is one
  int64_t lossy_documents = 0;         // decode(encode(x)) is not x
  std::vector<LanguageFit> languages;  // the most bytes first
  double vocabulary_used() const {
    return vocabulary ? static_cast<double>(coverage.tokens_used) / static_cast<double>(vocabulary) : 0;
  }
};

// The entropy of order `alpha` of the distribution of tokens over its largest value, log(vocabulary): 1 when all tokens
// are equally frequent (Zouhar et al., "Tokenization and the noiseless channel", 2023, which found that 2.5 goes with
// what translation models make of a tokenizer).
double renyi_efficiency(std::span<const int64_t> counts, int64_t vocabulary, double alpha);

Fit measure_fit(Parallel& parallel, const Tokenizer& tokenizer, std::span<const Sample> samples);

}  // namespace llmkit::tokenizer
