// From a text to hashed word n-grams (shingles) and to the key that exact duplicates share.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "dedup/normalize.h"

namespace llmkit::dedup {

using ExactKey = std::array<uint64_t, 2>;

// What one document gives. Kept and reused by a worker, so that the memory of the vectors is.
struct Shingles {
  std::vector<uint64_t> words;   // one hash a word, in order
  std::vector<uint64_t> hashes;  // one hash an n-gram, in order, repeated where the text repeats
  ExactKey exact{};              // equal for texts that are equal after normalisation, digits kept
  Normalized normalized;
};

class Shingler {
 public:
  explicit Shingler(int ngram) : ngram_(ngram) {}

  // A text with fewer words than `ngram` has one shingle, all its words; one without words has none, and its exact
  // key is that of its bytes.
  void run(std::string_view text, Shingles& out) const;

  const FoldTable& table() const { return table_; }

 private:
  int ngram_;
  FoldTable table_;
};

// Sorts and removes repeats: the set whose Jaccard similarity counts.
void make_set(std::vector<uint64_t>& hashes);
double jaccard(const uint64_t* a, size_t a_size, const uint64_t* b, size_t b_size);  // of two such sets

}  // namespace llmkit::dedup
