#include "tokenizer/unigram_scores.h"

#include <algorithm>

namespace llmkit::tokenizer {
namespace {

constexpr float kUnknownPenalty = 10;  // below the least score
constexpr double kStep = 1e120;        // by which sums are scaled when they become small
constexpr double kSmall = 1e-120;

}  // namespace

void PieceScores::settle(std::span<const UnigramSeed> pieces) {
  dead.resize(pieces.size());
  float least = std::numeric_limits<float>::max();
  for (size_t i = 0; i < pieces.size(); ++i)
    if (!dead[i]) least = std::min(least, scores[i]);
  least_ = least;
  unknown_score_ = least - kUnknownPenalty;
  unknown_probability_ = std::exp(static_cast<double>(unknown_score_));
  probabilities_.resize(pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (dead[i]) {  // a character that is no piece can still be read, as an unknown one
      bool single = pieces[i].size == 1;
      scores[i] = single ? unknown_score_ : -std::numeric_limits<float>::infinity();
      probabilities_[i] = single ? unknown_probability_ : 0;
    } else {
      probabilities_[i] = std::exp(static_cast<double>(scores[i]));
    }
  }
}

// alpha[i]: the sum over all ways to the
// i-th character of the products of probabilities; beta the same from there to the end.
double PieceScores::expect(std::span<const LatticeEdge> edges, double count, Work& w,
                           std::vector<int64_t>& sums) const {
  w.prepare(edges);
  size_t n = w.characters();
  w.alpha.assign(n + 1 + Lattices::kMaxPieceCharacters, 0);
  w.beta.assign(n + 1 + Lattices::kMaxPieceCharacters, 0);
  w.alpha_steps.resize(n + 1);
  w.alpha[0] = 1;
  int steps = 0;
  for (size_t i = 0; i < n; ++i) {
    if (w.alpha[i] < kSmall) {
      for (size_t k = i; k <= i + Lattices::kMaxPieceCharacters && k < w.alpha.size(); ++k) w.alpha[k] *= kStep;
      ++steps;
    }
    w.alpha_steps[i] = steps;
    double a = w.alpha[i];
    for (uint32_t e = w.starts[i]; e < w.starts[i + 1]; ++e)
      w.alpha[i + edges[e].length()] += a * probability(edges[e]);
  }
  double all = w.alpha[n], inverse = kFraction * count / all;
  w.beta[n] = 1;
  int behind = 0;
  for (size_t i = n; i-- > 0;) {
    double sum = 0, a = w.alpha[i] * inverse;
    int shift = steps - w.alpha_steps[i] - behind;  // what a is short of, in steps
    for (; shift > 0; --shift) a *= kStep;
    for (; shift < 0; ++shift) a /= kStep;
    for (uint32_t e = w.starts[i]; e < w.starts[i + 1]; ++e) {
      double b = probability(edges[e]) * w.beta[i + edges[e].length()];
      sum += b;
      sums[credited(edges[e])] += static_cast<int64_t>(a * b + 0.5);
    }
    w.beta[i] = sum;
    if (sum < kSmall) {
      for (size_t k = i; k <= i + Lattices::kMaxPieceCharacters && k <= n; ++k) w.beta[k] *= kStep;
      ++behind;
    }
  }
  return std::log(all) - steps * std::log(kStep);
}

}  // namespace llmkit::tokenizer
