#include "tokenizer/unigram_external.h"

#include <algorithm>

#include "base/error.h"
#include "tokenizer/sorted_runs.h"
#include "tokenizer/unigram_seed_rules.h"

namespace llmkit::tokenizer {
namespace {

constexpr uint64_t kStopEvery = 1 << 16;  // words between two looks at whether to stop

// The candidates of suffixes that come by rising numbers, each once: a node of their tree is closed by the first suffix
// that does not begin with it.
class SeedStream {
 public:
  explicit SeedStream(const SeedRules& rules) : rules_(rules), most_(rules.options().most) {}

  void add(std::span<const uint16_t> suffix, uint64_t count) {
    auto [p, s] = std::mismatch(previous_.begin(), previous_.end(), suffix.begin(), suffix.end());
    auto common = static_cast<uint32_t>(p - previous_.begin());
    uint64_t left = close(common);
    if (common > 0) {
      if (open_.empty() || open_.back().depth < common) open_.push_back({common, left, false});
      open_.back().bytes_differ |= rules_.first_byte(*p) != rules_.first_byte(*s);
    }
    before_ = sum_;
    sum_ += count;
    previous_.assign(suffix.begin(), suffix.end());
  }

  // The best ones by falling score; their characters are appended to `text`.
  std::vector<UnigramSeed> take(std::vector<uint16_t>& text) {
    close(0);
    keep_best();
    for (auto& seed : found_) seed.begin += static_cast<uint32_t>(text.size());
    text.insert(text.end(), text_.begin(), text_.end());
    return std::move(found_);
  }

 private:
  struct Open {
    uint32_t depth;
    uint64_t left;      // the sum of the counts before its first suffix
    bool bytes_differ;  // of what follows
  };

  // Closes the nodes deeper than `common`; where the last one began.
  uint64_t close(uint32_t common) {
    uint64_t left = before_;
    while (!open_.empty() && open_.back().depth > common) {
      Open node = open_.back();
      open_.pop_back();
      left = node.left;
      std::span<const uint16_t> piece = std::span(previous_).first(node.depth);
      if (!rules_.valid(piece) || (rules_.options().of_bytes && !node.bytes_differ)) continue;
      found_.push_back({(sum_ - left) * node.depth, static_cast<uint32_t>(text_.size()), node.depth});
      text_.insert(text_.end(), piece.begin(), piece.end());
      if (found_.size() >= 2 * most_ + 1024) keep_best();
    }
    return left;
  }

  // Of equals the one found first; found_ is in the order of the score, and of finding.
  void keep_best() {
    std::stable_sort(found_.begin(), found_.end(), [](auto& a, auto& b) { return a.score > b.score; });
    if (found_.size() > most_) found_.resize(most_);
    std::vector<uint16_t> kept;
    for (auto& seed : found_) {
      auto begin = static_cast<uint32_t>(kept.size());
      kept.insert(kept.end(), text_.begin() + seed.begin, text_.begin() + seed.begin + seed.size);
      seed.begin = begin;
    }
    text_.swap(kept);
  }

  const SeedRules& rules_;
  size_t most_;
  std::vector<Open> open_;
  std::vector<uint16_t> previous_, text_;
  uint64_t sum_ = 0, before_ = 0;  // of all counts, and without that of the previous suffix
  std::vector<UnigramSeed> found_;
};

// Numbers of characters as strings whose order is theirs.
void spell_numbers(std::span<const uint16_t> numbers, std::string& out) {
  out.clear();
  for (uint16_t n : numbers) {
    out += static_cast<char>(n >> 8);
    out += static_cast<char>(n);
  }
}

void read_numbers(std::string_view bytes, std::vector<uint16_t>& out) {
  out.clear();
  for (size_t i = 0; i + 1 < bytes.size(); i += 2)
    out.push_back(
        static_cast<uint16_t>(static_cast<unsigned char>(bytes[i]) << 8 | static_cast<unsigned char>(bytes[i + 1])));
}

class Preparation {
 public:
  Preparation(Context& context, const UnigramOptions& options) : context_(context), options_(options) {}

  ExternalUnigram run(WordCounter& counter) {
    {
      SortedRuns inside(context_.memory_bytes / 8), last(context_.memory_bytes / 8);
      sort_words(counter, inside, last);
      alphabet_.choose(result_.corpus, options_.character_coverage, options_.tabs);
      code_words(inside, last);
    }
    if (result_.words->words() > 0) find_seeds();
    return std::move(result_);
  }

 private:
  void look_for_stop() {
    if (++steps_ % kStopEvery == 0 && context_.stop.requested())
      throw Error("interrupted before the vocabulary was complete", ExitCode::interrupted);
  }

  void sort_words(WordCounter& counter, SortedRuns& inside, SortedRuns& last) {
    counter.take_words([&](const CountedWord& piece) {
      ++result_.distinct_pieces;
      bool at_end = false;
      std::string_view word = word_of_piece(piece.bytes, at_end);
      if (word.empty()) return;
      look_for_stop();
      alphabet_.count(word, piece.count);
      (at_end ? last : inside).add(word, piece.count);
    });
    inside.finish();
    last.finish();
  }

  void code_words(const SortedRuns& inside, const SortedRuns& last) {
    result_.words = std::make_unique<WordFile>(std::clamp<uint64_t>(context_.memory_bytes / 128, 4 << 10, 1 << 20));
    SortedRuns::Reader a(inside), b(last);
    bool more_a = a.next(), more_b = b.next();
    while (more_a || more_b) {
      bool take_a = more_a && (!more_b || a.bytes() <= b.bytes()),
           take_b = more_b && (!more_a || b.bytes() <= a.bytes());
      put_word(take_a ? a.bytes() : b.bytes(), take_a ? a.count() : 0, take_b ? b.count() : 0);
      if (take_a) more_a = a.next();
      if (take_b) more_b = b.next();
    }
    result_.words->finish();
    suffixes_.finish();
  }

  void put_word(std::string_view word, uint64_t inside, uint64_t last) {
    look_for_stop();
    numbers_.clear();
    alphabet_.code(word, numbers_);
    size_t size = numbers_.size();
    auto ends = [&](uint16_t c) { return c == UnigramCorpus::kLineEnd || c == result_.corpus.space; };
    symbols_.assign(1, numbers_[0]);
    for (size_t i = 1; i < size && !ends(numbers_[i]); ++i) symbols_.push_back(numbers_[i]);
    result_.words->put(symbols_, inside + last);
    numbers_.push_back(0);
    for (size_t i = 0; i < size; ++i) {
      size_t end = i + 1;
      while (end < size && end - i <= options_.seeds.max_characters && !ends(numbers_[end])) ++end;
      // With the character that follows: one of the word, or what comes behind it.
      if (end - i > options_.seeds.max_characters) {
        put_suffix(i, end, inside + last);
      } else if (end < size) {
        put_suffix(i, end + 1, inside + last);
      } else {
        numbers_[size] = result_.corpus.space;
        put_suffix(i, end + 1, inside);
        numbers_[size] = UnigramCorpus::kLineEnd;
        put_suffix(i, end + 1, last);
      }
    }
  }

  void put_suffix(size_t begin, size_t end, uint64_t count) {
    if (count == 0) return;
    spell_numbers(std::span(numbers_).subspan(begin, end - begin), spelled_);
    suffixes_.add(spelled_, count);
  }

  void find_seeds() {
    UnigramCorpus& corpus = result_.corpus;
    for (uint16_t c : corpus.required) {
      result_.seeds.push_back({corpus.counts[c], static_cast<uint32_t>(corpus.text.size()), 1});
      corpus.text.push_back(c);
    }
    SeedRules rules(corpus, options_.seeds);
    SeedStream stream(rules);
    for (SortedRuns::Reader reader(suffixes_); reader.next();) {
      look_for_stop();
      read_numbers(reader.bytes(), numbers_);
      stream.add(numbers_, reader.count());
    }
    auto best = stream.take(corpus.text);
    result_.seeds.insert(result_.seeds.end(), best.begin(), best.end());
  }

  Context& context_;
  const UnigramOptions& options_;
  ExternalUnigram result_;
  UnigramAlphabet alphabet_;
  SortedRuns suffixes_{context_.memory_bytes / 3};
  uint64_t steps_ = 0;
  std::vector<uint16_t> numbers_;
  std::vector<int32_t> symbols_;
  std::string spelled_;
};

}  // namespace

ExternalUnigram begin_external_unigram(Context& context, WordCounter& counter, const UnigramOptions& options) {
  return Preparation(context, options).run(counter);
}

}  // namespace llmkit::tokenizer
