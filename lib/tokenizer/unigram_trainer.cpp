#include "tokenizer/unigram_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "base/error.h"
#include "tokenizer/unigram_external.h"
#include "tokenizer/unigram_lattice.h"

namespace llmkit::tokenizer {
namespace {

constexpr int64_t kTilePieces = 4096;
constexpr double kFraction = 1 << 20;   // of the fixed-point expected counts
constexpr double kLeastExpected = 0.5;  // pieces below it are dropped
constexpr float kUnknownPenalty = 10;   // below the least score
constexpr double kStep = 1e120;         // by which sums are scaled when they become small
constexpr double kSmall = 1e-120;
constexpr uint32_t kNone = LatticeEdge::kNoPiece;
constexpr uint64_t kBytesOfWord = 450;

// psi(x) by recurrence to x >= 7 and the asymptotic series around x - 1/2 (Abramowitz and Stegun 6.3).
double digamma(double x) {
  double sum = 0;
  for (; x < 7; ++x) sum -= 1 / x;
  x -= 0.5;
  double y = 1 / (x * x);
  return sum + std::log(x) + y / 24 - 7 * y * y / 960 + 31 * y * y * y / 8064 - 127 * y * y * y * y / 30720;
}

// Integer sums of each piece, one array for each thread that works; adding them up gives the same in any order.
class Sums {
 public:
  explicit Sums(size_t size) : size_(size) {}
  std::vector<int64_t> take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return std::vector<int64_t>(size_);
    auto sums = std::move(free_.back());
    free_.pop_back();
    return sums;
  }
  void give(std::vector<int64_t> sums) {
    std::lock_guard lock(mutex_);
    free_.push_back(std::move(sums));
  }
  std::vector<int64_t> total() {
    std::vector<int64_t> all = take();
    for (auto& sums : free_)
      for (size_t i = 0; i < size_; ++i) all[i] += sums[i];
    return all;
  }

 private:
  size_t size_;
  std::mutex mutex_;
  std::vector<std::vector<int64_t>> free_;
};

class Trainer {
 public:
  Trainer(Context& context, UnigramCorpus& corpus, std::vector<UnigramSeed> seeds, std::unique_ptr<WordFile> file,
          const UnigramOptions& options)
      : context_(context),
        corpus_(corpus),
        options_(options),
        pieces_(std::move(seeds)),
        lattices_(context, corpus, pieces_, std::move(file)) {
    corpus.entries = {};  // the lattices have all of the words
    double sum = 0;
    for (auto& p : pieces_) sum += static_cast<double>(p.score);
    for (auto& p : pieces_)
      scores_.push_back(static_cast<float>(std::log(static_cast<double>(p.score)) - std::log(sum)));
    set_probabilities();
  }

  UnigramTraining train() {
    UnigramTraining training;
    training.seeds = pieces_.size();
    training.distinct_words = lattices_.words();
    training.memory_bytes = lattices_.memory_bytes();
    training.file_bytes = lattices_.file_bytes();
    auto desired = static_cast<size_t>(static_cast<double>(options_.vocab_size) * 1.1);
    double first = std::log(static_cast<double>(pieces_.size()));
    for (;;) {
      for (int i = 0; i < options_.sub_iterations; ++i) {
        if (context_.stop.requested())
          throw Error("interrupted before the vocabulary was complete", ExitCode::interrupted);
        training.log_likelihood = expect_and_maximise();
      }
      size_t alive = alive_pieces();
      double last = std::log(static_cast<double>(desired));
      context_.progress.update(std::max(0.0, first - std::log(static_cast<double>(alive))),
                               std::max(1e-9, first - last), "", std::to_string(alive) + " pieces");
      if (alive <= desired) break;
      prune(desired);
      ++training.rounds;
    }
    finish(training);
    return training;
  }

 private:
  size_t alive_pieces() const { return static_cast<size_t>(std::count(dead_.begin(), dead_.end(), false)); }

  void set_probabilities() {
    dead_.resize(pieces_.size());
    float least = std::numeric_limits<float>::max();
    for (size_t i = 0; i < pieces_.size(); ++i)
      if (!dead_[i]) least = std::min(least, scores_[i]);
    least_score_ = least;
    unknown_score_ = least - kUnknownPenalty;
    unknown_probability_ = std::exp(static_cast<double>(unknown_score_));
    probabilities_.resize(pieces_.size());
    for (size_t i = 0; i < pieces_.size(); ++i) {
      if (dead_[i]) {  // a character that is no piece can still be read, as an unknown one
        bool single = pieces_[i].size == 1;
        scores_[i] = single ? unknown_score_ : -std::numeric_limits<float>::infinity();
        probabilities_[i] = single ? unknown_probability_ : 0;
      } else {
        probabilities_[i] = std::exp(static_cast<double>(scores_[i]));
      }
    }
  }

  double probability(LatticeEdge e) const {
    return e.piece() == kNone ? unknown_probability_ : probabilities_[e.piece()];
  }
  // The piece that an edge counts for. As in SentencePiece's trainer, where the unknown has number 0, an unknown
  // character counts for the first piece, the most frequent character; tabs are unknown, so with source code this
  // shows.
  uint32_t credited(LatticeEdge e) const { return e.piece() == kNone || dead_[e.piece()] ? 0 : e.piece(); }
  float score(LatticeEdge e) const { return e.piece() == kNone ? unknown_score_ : scores_[e.piece()]; }

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

  // Adds a word's expected pieces; returns the logarithm of its probability. alpha[i]: the sum over all ways to the
  // i-th character of the products of probabilities; beta the same from there to the end.
  double expect(std::span<const LatticeEdge> edges, double count, Work& w, std::vector<int64_t>& sums) const {
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

  // One step of expectation-maximisation; the mean log-likelihood of a word before it.
  double expect_and_maximise() {
    Sums sums(pieces_.size());
    double objective = lattices_.sum_over_tiles([&](const LatticeTile& tile) {
      Work work;
      auto mine = sums.take();
      double of_tile = 0;
      for (size_t i = 0; i < tile.words(); ++i) {
        auto count = static_cast<double>(tile.count(i));
        of_tile += count * expect(tile.edges(i), count, work, mine);
      }
      sums.give(std::move(mine));
      return of_tile;
    });
    std::vector<int64_t> expected = sums.total();
    // Instead of log(c / sum), digamma(c) - digamma(sum): a prior for few pieces (Liang, tutorial at ACL 2007).
    double sum = 0;
    for (size_t i = 0; i < pieces_.size(); ++i) {
      if (!dead_[i] && static_cast<double>(expected[i]) < kLeastExpected * kFraction) dead_[i] = true;
      if (!dead_[i]) sum += static_cast<double>(expected[i]) / kFraction;
    }
    double log_sum = digamma(sum);
    for (size_t i = 0; i < pieces_.size(); ++i)
      if (!dead_[i]) scores_[i] = static_cast<float>(digamma(static_cast<double>(expected[i]) / kFraction) - log_sum);
    set_probabilities();
    return objective / static_cast<double>(lattices_.occurrences());
  }

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

  // How often each piece is on the best path of a word.
  std::vector<int64_t> best_counts() {
    Sums sums(pieces_.size());
    lattices_.sum_over_tiles([&](const LatticeTile& tile) {
      Work work;
      auto mine = sums.take();
      for (size_t i = 0; i < tile.words(); ++i)
        best_path(tile.edges(i), true, work,
                  [&](LatticeEdge e) { mine[credited(e)] += static_cast<int64_t>(tile.count(i)); });
      sums.give(std::move(mine));
      return 0.0;
    });
    return sums.total();
  }

  // What the likelihood loses when a piece's occurrences are replaced by its second-best reading:
  // F (log p - sum over the parts of log p'), p' with the piece's count added to the parts'. Negative infinity where
  // the piece is not even its own best reading, infinity where it has no other.
  double loss_of(uint32_t piece, const std::vector<int64_t>& counts, double sum, Work& work) const {
    if (counts[piece] == 0) return -std::numeric_limits<double>::infinity();
    auto own = static_cast<double>(counts[piece]);
    double parts = 0, number = 0;
    float other = best_path(lattices_.piece(piece, work.edges), false, work, [&](LatticeEdge e) {
      parts += std::log(static_cast<double>(counts[credited(e)]) + own);
      ++number;
    });
    if (std::isinf(other)) return std::numeric_limits<double>::infinity();
    if (other > scores_[piece]) return -std::numeric_limits<double>::infinity();
    double more = options_.loss == UnigramLoss::of_table ? static_cast<double>(alive_) : number;
    double after = parts - number * std::log(sum + own * (more - 1));
    return own / static_cast<double>(lattices_.occurrences()) * (std::log(own) - std::log(sum) - after);
  }

  void prune(size_t desired) {
    std::vector<int64_t> counts = best_counts();
    double sum = 0;
    for (int64_t c : counts) sum += static_cast<double>(c);
    alive_ = alive_pieces();
    std::vector<double> losses(pieces_.size(), -std::numeric_limits<double>::infinity());
    context_.parallel.for_ranges(static_cast<int64_t>(pieces_.size()), kTilePieces, [&](int64_t begin, int64_t end) {
      Work work;
      for (auto i = static_cast<uint32_t>(begin); i < static_cast<uint32_t>(end); ++i)
        if (!dead_[i]) losses[i] = loss_of(i, counts, sum, work);
    });
    size_t target =
        std::max(desired, static_cast<size_t>(options_.shrinking_factor * static_cast<double>(alive_pieces())));
    std::vector<uint32_t> order;
    for (uint32_t i = 0; i < pieces_.size(); ++i)
      if (losses[i] > -std::numeric_limits<double>::infinity()) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return losses[a] > losses[b]; });
    if (order.size() > target) order.resize(target);
    std::sort(order.begin(), order.end());
    keep(order);
  }

  void keep(const std::vector<uint32_t>& order) {
    std::vector<uint32_t> number(pieces_.size(), kNone);
    for (uint32_t i = 0; i < order.size(); ++i) {
      number[order[i]] = i;
      pieces_[i] = pieces_[order[i]];
      scores_[i] = scores_[order[i]];
    }
    pieces_.resize(order.size());
    lattices_.renumber(number);
    scores_.resize(order.size());
    dead_.assign(order.size(), false);
    set_probabilities();
  }

  // The required characters, then the best pieces; both by falling score.
  void finish(UnigramTraining& training) {
    struct Piece {
      std::string text;
      float score;
    };
    std::vector<float> of_character(corpus_.characters.size(), std::numeric_limits<float>::infinity());
    std::vector<Piece> longer, chosen;
    for (size_t i = 0; i < pieces_.size(); ++i) {
      if (dead_[i]) continue;
      if (pieces_[i].size == 1)
        of_character[corpus_.text[pieces_[i].begin]] = scores_[i];
      else
        longer.push_back({corpus_.spell({corpus_.text.data() + pieces_[i].begin, pieces_[i].size}), scores_[i]});
    }
    float penalty = 0;
    for (uint16_t c : corpus_.required) {
      float score = of_character[c];
      if (std::isinf(score)) {  // none of the text needs it as a piece: below all others, and no two alike
        score = least_score_ + penalty;
        penalty += 0.0001f;
      }
      chosen.push_back({corpus_.spell({&c, 1}), score});
    }
    auto better = [](const Piece& a, const Piece& b) {
      return a.score != b.score ? a.score > b.score : a.text < b.text;
    };
    std::sort(longer.begin(), longer.end(), better);
    auto room = static_cast<size_t>(std::max<int64_t>(0, options_.pieces - static_cast<int64_t>(chosen.size())));
    longer.resize(std::min(longer.size(), room));
    chosen.insert(chosen.end(), longer.begin(), longer.end());
    std::sort(chosen.begin(), chosen.end(), better);
    for (auto& piece : chosen) {
      training.pieces.push_back(std::move(piece.text));
      training.scores.push_back(piece.score);
    }
  }

  Context& context_;
  const UnigramCorpus& corpus_;
  UnigramOptions options_;
  std::vector<UnigramSeed> pieces_;
  Lattices lattices_;
  std::vector<float> scores_;
  std::vector<bool> dead_;  // dropped since the last renumbering
  std::vector<double> probabilities_;
  float least_score_ = 0, unknown_score_ = 0;
  double unknown_probability_ = 0;
  size_t alive_ = 0;  // pieces when pruning began
};

// What a training of these words needs, themselves included, measured on the mixed corpus of tests/bench/tokenizer.
uint64_t bytes_in_memory(const WordCounter& counter, const UnigramOptions& options) {
  return counter.memory_bytes() + options.seeds.most * 150 + counter.held().words * kBytesOfWord;
}

}  // namespace

UnigramTraining train_unigram(Context& context, WordCounter& counter, const UnigramOptions& options) {
  if (options.seeds.max_characters > Lattices::kMaxPieceCharacters)
    throw UsageError("a Unigram piece has at most " + std::to_string(Lattices::kMaxPieceCharacters) + " characters");
  UnigramCorpus corpus;
  std::vector<UnigramSeed> seeds;
  std::unique_ptr<WordFile> file;
  uint64_t memory = context.memory_bytes, distinct_pieces = 0;
  auto check = [&](bool words) {
    if (!words) throw Error(ErrorParts{"no words to learn pieces from", {}, "text", "white space alone", {}});
    if (static_cast<int64_t>(corpus.required.size()) > options.pieces)
      throw UsageError("the vocabulary has no room for the " + std::to_string(corpus.required.size()) +
                       " characters of the text: raise --vocab-size or lower --character-coverage");
  };
  if (counter.spilled() || (memory > 0 && bytes_in_memory(counter, options) > memory)) {
    auto external = begin_external_unigram(context, counter, options);
    corpus = std::move(external.corpus);
    seeds = std::move(external.seeds);
    file = std::move(external.words);
    distinct_pieces = external.distinct_pieces;
    check(file->words() > 0);
  } else {
    distinct_pieces = counter.held().words;
    corpus = code_words(counter.words(), options.character_coverage, options.tabs);
    counter.clear();
    check(!corpus.entries.empty());
    seeds = find_seeds(context, corpus, options.seeds);
  }
  UnigramTraining training = Trainer(context, corpus, std::move(seeds), std::move(file), options).train();
  training.distinct_pieces = distinct_pieces;
  return training;
}

}  // namespace llmkit::tokenizer
