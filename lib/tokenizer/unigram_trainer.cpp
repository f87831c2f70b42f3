#include "tokenizer/unigram_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "base/error.h"
#include "tokenizer/unigram_external.h"
#include "tokenizer/unigram_lattice.h"
#include "tokenizer/unigram_scores.h"

namespace llmkit::tokenizer {
namespace {

constexpr int64_t kTilePieces = 4096;
constexpr double kFraction = PieceScores::kFraction;
constexpr double kLeastExpected = 0.5;  // pieces below it are dropped
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
      scores_.scores.push_back(static_cast<float>(std::log(static_cast<double>(p.score)) - std::log(sum)));
    scores_.settle(pieces_);
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
  size_t alive_pieces() const {
    return static_cast<size_t>(std::count(scores_.dead.begin(), scores_.dead.end(), false));
  }

  // One step of expectation-maximisation; the mean log-likelihood of a word before it.
  double expect_and_maximise() {
    Sums sums(pieces_.size());
    double objective = lattices_.sum_over_tiles([&](const LatticeTile& tile) {
      PieceScores::Work work;
      auto mine = sums.take();
      double of_tile = 0;
      for (size_t i = 0; i < tile.words(); ++i) {
        auto count = static_cast<double>(tile.count(i));
        of_tile += count * scores_.expect(tile.edges(i), count, work, mine);
      }
      sums.give(std::move(mine));
      return of_tile;
    });
    std::vector<int64_t> expected = sums.total();
    // Instead of log(c / sum), digamma(c) - digamma(sum): a prior for few pieces (Liang, tutorial at ACL 2007).
    double sum = 0;
    for (size_t i = 0; i < pieces_.size(); ++i) {
      if (!scores_.dead[i] && static_cast<double>(expected[i]) < kLeastExpected * kFraction) scores_.dead[i] = true;
      if (!scores_.dead[i]) sum += static_cast<double>(expected[i]) / kFraction;
    }
    double log_sum = digamma(sum);
    for (size_t i = 0; i < pieces_.size(); ++i)
      if (!scores_.dead[i])
        scores_.scores[i] = static_cast<float>(digamma(static_cast<double>(expected[i]) / kFraction) - log_sum);
    scores_.settle(pieces_);
    return objective / static_cast<double>(lattices_.occurrences());
  }

  // How often each piece is on the best path of a word.
  std::vector<int64_t> best_counts() {
    Sums sums(pieces_.size());
    lattices_.sum_over_tiles([&](const LatticeTile& tile) {
      PieceScores::Work work;
      auto mine = sums.take();
      for (size_t i = 0; i < tile.words(); ++i)
        scores_.best_path(tile.edges(i), true, work,
                          [&](LatticeEdge e) { mine[scores_.credited(e)] += static_cast<int64_t>(tile.count(i)); });
      sums.give(std::move(mine));
      return 0.0;
    });
    return sums.total();
  }

  // What the likelihood loses when a piece's occurrences are replaced by its second-best reading:
  // F (log p - sum over the parts of log p'), p' with the piece's count added to the parts'. Negative infinity where
  // the piece is not even its own best reading, infinity where it has no other.
  double loss_of(uint32_t piece, const std::vector<int64_t>& counts, double sum, PieceScores::Work& work) const {
    if (counts[piece] == 0) return -std::numeric_limits<double>::infinity();
    auto own = static_cast<double>(counts[piece]);
    double parts = 0, number = 0;
    float other = scores_.best_path(lattices_.piece(piece, work.edges), false, work, [&](LatticeEdge e) {
      parts += std::log(static_cast<double>(counts[scores_.credited(e)]) + own);
      ++number;
    });
    if (std::isinf(other)) return std::numeric_limits<double>::infinity();
    if (other > scores_.scores[piece]) return -std::numeric_limits<double>::infinity();
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
      PieceScores::Work work;
      for (auto i = static_cast<uint32_t>(begin); i < static_cast<uint32_t>(end); ++i)
        if (!scores_.dead[i]) losses[i] = loss_of(i, counts, sum, work);
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
      scores_.scores[i] = scores_.scores[order[i]];
    }
    pieces_.resize(order.size());
    lattices_.renumber(number);
    scores_.scores.resize(order.size());
    scores_.dead.assign(order.size(), false);
    scores_.settle(pieces_);
  }

  struct Piece {
    std::string text;
    float score;
    size_t number;
  };

  // A piece less likely than its own parts comes from no text: SentencePiece drops these at the end since 0.2.3. Of
  // `pieces`, by falling score, the first `room` are the vocabulary beside the characters; others take the free places.
  void drop_unreachable(std::vector<Piece>& pieces, size_t room) const {
    for (;;) {
      PieceScores taken = scores_;
      for (size_t i = 0; i < pieces_.size(); ++i) taken.dead[i] = taken.dead[i] || pieces_[i].size > 1;
      for (size_t i = 0; i < std::min(room, pieces.size()); ++i) taken.dead[pieces[i].number] = false;
      taken.settle(pieces_);
      PieceScores::Work work;
      size_t before = pieces.size();
      std::erase_if(pieces, [&](const Piece& piece) {
        return !taken.dead[piece.number] && taken.best_path(lattices_.piece(piece.number, work.edges), false, work,
                                                            [](LatticeEdge) {}) > piece.score;
      });
      if (pieces.size() == before) return;
    }
  }

  // The required characters, then the best pieces; both by falling score.
  void finish(UnigramTraining& training) {
    std::vector<float> of_character(corpus_.characters.size(), std::numeric_limits<float>::infinity());
    std::vector<Piece> longer, chosen;
    for (size_t i = 0; i < pieces_.size(); ++i) {
      if (scores_.dead[i]) continue;
      if (pieces_[i].size == 1)
        of_character[corpus_.text[pieces_[i].begin]] = scores_.scores[i];
      else
        longer.push_back(
            {corpus_.spell({corpus_.text.data() + pieces_[i].begin, pieces_[i].size}), scores_.scores[i], i});
    }
    float penalty = 0;
    for (uint16_t c : corpus_.required) {
      float score = of_character[c];
      if (std::isinf(score)) {  // none of the text needs it as a piece: below all others, and no two alike
        score = scores_.least() + penalty;
        penalty += 0.0001f;
      }
      chosen.push_back({corpus_.spell({&c, 1}), score, 0});
    }
    auto better = [](const Piece& a, const Piece& b) {
      return a.score != b.score ? a.score > b.score : a.text < b.text;
    };
    std::sort(longer.begin(), longer.end(), better);
    auto room = static_cast<size_t>(std::max<int64_t>(0, options_.pieces - static_cast<int64_t>(chosen.size())));
    if (options_.loss == UnigramLoss::of_parts) drop_unreachable(longer, room);
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
  PieceScores scores_;
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
