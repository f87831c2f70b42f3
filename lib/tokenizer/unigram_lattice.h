// The lattices of a Unigram training: for every word, and for every piece itself, the pieces that start at each of its
// characters. In memory each is computed once: pruning only takes pieces away, so the lists are filtered, never
// searched again. With words in a file they are found anew whenever they are needed.
//
// A list is a row of edges (piece, length) by start; at every start there is one edge of a single character, the first.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/context.h"
#include "tokenizer/unigram_corpus.h"
#include "tokenizer/unigram_seeds.h"
#include "tokenizer/word_file.h"

namespace llmkit::tokenizer {

struct LatticeEdge {
  static constexpr uint32_t kLengthBits = 5, kNoPiece = UINT32_MAX >> kLengthBits;
  uint32_t packed;
  LatticeEdge(uint32_t piece, uint32_t length) : packed(piece << kLengthBits | length) {}
  uint32_t piece() const { return packed >> kLengthBits; }  // kNoPiece: a character that is no piece
  uint32_t length() const { return packed & ((1u << kLengthBits) - 1); }
};

// Some words, for one thread to work on.
class LatticeTile {
 public:
  struct Word {
    uint64_t first_edge, count;
  };
  // `words` has one more at the end, for its first edge.
  LatticeTile(std::span<const Word> words, const LatticeEdge* edges) : words_(words), edges_(edges) {}
  size_t words() const { return words_.size() - 1; }
  uint64_t count(size_t i) const { return words_[i].count; }
  std::span<const LatticeEdge> edges(size_t i) const {
    return {edges_ + words_[i].first_edge, words_[i + 1].first_edge - words_[i].first_edge};
  }

 private:
  std::span<const Word> words_;
  const LatticeEdge* edges_;
};

class PieceTrie;

class Lattices {
 public:
  static constexpr uint32_t kMaxPieceCharacters = 31;

  // Of the pieces, which stay where they are, and of the words: the corpus's or, if there is one, those of a file.
  Lattices(Context& context, const UnigramCorpus& corpus, const std::vector<UnigramSeed>& pieces,
           std::unique_ptr<WordFile> file);
  ~Lattices();

  uint64_t words() const { return file_ ? file_->words() : words_.size() - 1; }
  uint64_t occurrences() const { return occurrences_; }
  // f(tile) for all words, on the pool; the sum of what it returns, in the order of the words.
  double sum_over_tiles(const std::function<double(const LatticeTile&)>& f) const;
  // Of a piece; it may be put into `room`.
  std::span<const LatticeEdge> piece(size_t i, std::vector<LatticeEdge>& room) const;

  // When pieces have gone: new_number[piece] for the kept ones, rising; kNoPiece for the others.
  void renumber(std::span<const uint32_t> new_number);
  uint64_t memory_bytes() const;
  uint64_t file_bytes() const { return file_ ? file_->bytes() : 0; }

 private:
  struct Range {
    uint64_t begin;
    uint32_t size;
  };
  void search_pieces(const PieceTrie& trie);
  void search_words(const PieceTrie& trie);

  Context& context_;
  const UnigramCorpus& corpus_;
  const std::vector<UnigramSeed>& all_pieces_;
  std::unique_ptr<WordFile> file_;
  std::unique_ptr<PieceTrie> trie_;  // with words in a file, and nothing of the following
  std::vector<LatticeEdge> edges_, piece_edges_;
  std::vector<LatticeTile::Word> words_;  // and one past the end
  std::vector<Range> pieces_;
  uint64_t occurrences_ = 0;
};

}  // namespace llmkit::tokenizer
