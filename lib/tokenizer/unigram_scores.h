// The probabilities of a Unigram training's pieces, and what they make of a lattice: the expected number of each piece
// over all paths (forward-backward), and the best path (Viterbi).
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tokenizer/unigram_lattice.h"

namespace llmkit::tokenizer {

class PieceScores {
 public:
  static constexpr double kFraction = 1 << 20;  // of the fixed-point expected counts

  // Working memory of a lattice's sums; alpha and beta have one place a character and one behind the last.
  struct Work {
    std::vector<double> alpha, beta;
    std::vector<int> alpha_steps;  // alpha[i] stands for alpha[i] / kStep^steps
    std::vector<uint32_t> starts;  // first edge of each character
    std::vector<float> best;
    std::vector<uint32_t> back;      // the edge of the best path that ends there
    std::vector<uint32_t> from;      // and where it begins
    std::vector<LatticeEdge> edges;  // of a piece
    void prepare(std::span<const LatticeEdge> edges) {
      starts.clear();
      for (uint32_t i = 0; i < edges.size(); ++i)
        if (edges[i].length() == 1) starts.push_back(i);
      starts.push_back(static_cast<uint32_t>(edges.size()));
    }
    size_t characters() const { return starts.size() - 1; }
  };

  // Logarithms, set from outside, as is what has been dropped since the last renumbering; settle() then makes
  // probabilities of them.
  std::vector<float> scores;
  std::vector<bool> dead;
  void settle(std::span<const UnigramSeed> pieces);
  float least() const { return least_; }

  // The piece that an edge counts for. As in SentencePiece's trainer, where the unknown has number 0, an unknown
  // character counts for the first piece, the most frequent character; tabs are unknown, so with source code this
  // shows.
  uint32_t credited(LatticeEdge e) const {
    return e.piece() == LatticeEdge::kNoPiece || dead[e.piece()] ? 0 : e.piece();
  }

  // Adds a word's expected pieces, in fractions; returns the logarithm of its probability.
  double expect(std::span<const LatticeEdge> edges, double count, Work& w, std::vector<int64_t>& sums) const;

  // The best path; `whole`: with the edge over all characters. Its pieces are given to f from the last to the first.
  template <class F>
  float best_path(std::span<const LatticeEdge> edges, bool whole, Work& w, F&& f) const {
    w.prepare(edges);
    size_t n = w.characters();
    w.best.assign(n + 1, -std::numeric_limits<float>::infinity());
    w.back.resize(n + 1);
    w.from.resize(n + 1);
    w.best[0] = 0;
    for (size_t i = 0; i < n; ++i)
      for (uint32_t e = w.starts[i]; e < w.starts[i + 1]; ++e) {
        uint32_t length = edges[e].length();
        if (!whole && length == n) continue;
        float s = w.best[i] + score(edges[e]);
        if (s > w.best[i + length]) {
          w.best[i + length] = s;
          w.back[i + length] = e;
          w.from[i + length] = static_cast<uint32_t>(i);
        }
      }
    if (std::isinf(w.best[n])) return w.best[n];
    for (size_t i = n; i > 0; i = w.from[i]) f(edges[w.back[i]]);
    return w.best[n];
  }

 private:
  double probability(LatticeEdge e) const {
    return e.piece() == LatticeEdge::kNoPiece ? unknown_probability_ : probabilities_[e.piece()];
  }
  float score(LatticeEdge e) const { return e.piece() == LatticeEdge::kNoPiece ? unknown_score_ : scores[e.piece()]; }

  std::vector<double> probabilities_;
  float least_ = 0, unknown_score_ = 0;
  double unknown_probability_ = 0;
};

}  // namespace llmkit::tokenizer
