// The lattices of a Unigram training, each computed once: for every word, and for every piece itself, the pieces that
// start at each of its characters. Pruning only takes pieces away, so the lists are filtered, never searched again.
//
// A list is a row of edges (piece, length) by start; at every start there is one edge of a single character, the first.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/context.h"
#include "tokenizer/unigram_corpus.h"
#include "tokenizer/unigram_seeds.h"

namespace llmkit::tokenizer {

struct LatticeEdge {
  static constexpr uint32_t kLengthBits = 5, kNoPiece = UINT32_MAX >> kLengthBits;
  uint32_t packed;
  LatticeEdge(uint32_t piece, uint32_t length) : packed(piece << kLengthBits | length) {}
  uint32_t piece() const { return packed >> kLengthBits; }  // kNoPiece: a character that is no piece
  uint32_t length() const { return packed & ((1u << kLengthBits) - 1); }
};

class Lattices {
 public:
  static constexpr uint32_t kMaxPieceCharacters = 31;

  // Of the pieces' first occurrences, and of the corpus's words.
  Lattices(Context& context, const UnigramCorpus& corpus, const std::vector<UnigramSeed>& pieces);

  struct Word {
    uint64_t first_edge, count;
  };
  size_t words() const { return words_.size() - 1; }
  std::span<const LatticeEdge> word(size_t i) const {
    return {edges_.data() + words_[i].first_edge, words_[i + 1].first_edge - words_[i].first_edge};
  }
  uint64_t count(size_t i) const { return words_[i].count; }
  std::span<const LatticeEdge> piece(size_t i) const {
    return {piece_edges_.data() + pieces_[i].begin, pieces_[i].size};
  }

  // new_number[piece] for the kept ones, rising; kNoPiece for the others.
  void renumber(std::span<const uint32_t> new_number, size_t kept);
  uint64_t memory_bytes() const;

 private:
  struct Range {
    uint64_t begin;
    uint32_t size;
  };
  std::vector<LatticeEdge> edges_, piece_edges_;
  std::vector<Word> words_;  // and one past the end
  std::vector<Range> pieces_;
};

}  // namespace llmkit::tokenizer
