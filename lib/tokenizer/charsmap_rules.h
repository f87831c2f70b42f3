// The rules that SentencePiece's normalizers are compiled from.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace llmkit::tokenizer {

// Sequences of characters and what they become, in UTF-8 and sorted; of several that fit the longest counts.
using CharsmapRules = std::vector<std::pair<std::string, std::string>>;

// Compiled for Charsmap and SentencePiece.
std::string compile_charsmap(const CharsmapRules& rules);

// SentencePiece's default, nmt_nfkc, with the tables of our Unicode version.
CharsmapRules nmt_nfkc_rules();
// The same, compiled: made when it is first asked for.
const std::string& nmt_nfkc_charsmap();

}  // namespace llmkit::tokenizer
