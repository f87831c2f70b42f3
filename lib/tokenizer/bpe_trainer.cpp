#include "tokenizer/bpe_trainer.h"

#include <algorithm>
#include <queue>
#include <set>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

uint64_t pair_key(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}

// Count of every pair that ever stood in a word, and the list of words it got during the current merge.
class PairTable {
 public:
  struct Slot {
    uint64_t key = kEmpty;
    int64_t count = 0;
    int32_t list = -1;
  };

  PairTable() : slots_(1 << 16) {}

  // The reference lasts until the next call.
  Slot& at(uint64_t key) {
    for (size_t i = hash(key);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].key == key) return slots_[i];
      if (slots_[i].key != kEmpty) continue;
      if ((used_ + 1) * 2 > slots_.size()) {
        grow();
        return at(key);
      }
      ++used_;
      slots_[i].key = key;
      return slots_[i];
    }
  }

 private:
  static constexpr uint64_t kEmpty = UINT64_MAX;
  size_t hash(uint64_t key) const {
    key *= 0x9E3779B97F4A7C15;
    return (key ^ key >> 32) & (slots_.size() - 1);
  }
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (auto& slot : old) {
      if (slot.key == kEmpty) continue;
      size_t i = hash(slot.key);
      while (slots_[i].key != kEmpty) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = slot;
    }
  }

  std::vector<Slot> slots_;
  size_t used_ = 0;
};

// The words as flat symbol arrays, the pairs in them, and the queue of candidates.
//
// As in Hugging Face's trainer, a candidate keeps the list of words in which its pair appeared since the pair was last
// queued, and a stale count is refreshed when the candidate comes to the top. A pair can be queued twice when two
// merges give the same token; the count of a merged pair is not taken back. Both matter for equal results.
class MergeState {
 public:
  MergeState(std::span<const CountedWord> words, std::span<const int32_t> byte_ids) {
    uint64_t bytes = 0;
    for (auto& word : words) bytes += word.bytes.size();
    symbols_.reserve(bytes);
    words_.reserve(words.size());
    for (auto& word : words) {
      words_.push_back({symbols_.size(), static_cast<uint32_t>(word.bytes.size()), word.count});
      for (char byte : word.bytes) symbols_.push_back(byte_ids[static_cast<unsigned char>(byte)]);
    }
    for (size_t w = 0; w < words_.size(); ++w) {
      const int32_t* s = symbols_.data() + words_[w].begin;
      for (uint32_t i = 0; i + 1 < words_[w].size; ++i) add(pair_key(s[i], s[i + 1]), w);
    }
    queue_touched();
  }

  // The next pair to merge; false when there is none of at least `min_count`.
  bool next(uint64_t min_count, uint64_t& pair, uint64_t& count) {
    while (!queue_.empty()) {
      Candidate top = queue_.top();
      queue_.pop();
      auto now = static_cast<uint64_t>(std::max<int64_t>(0, pairs_.at(top.pair).count));
      if (now != top.count) {
        top.count = now;
        queue_.push(top);
        continue;
      }
      if (now < std::max<uint64_t>(1, min_count)) return false;
      pair = top.pair;
      count = now;
      current_ = std::move(lists_[static_cast<size_t>(top.list)]);
      return true;
    }
    return false;
  }

  // Replaces the pair that next() gave by `result`; `sizes` are the lengths of the tokens.
  void merge(uint64_t pair, int32_t result, std::span<const int64_t> sizes, int64_t max_size) {
    auto left = static_cast<int32_t>(pair >> 32), right = static_cast<int32_t>(pair & 0xFFFFFFFF);
    auto fits = [&](int32_t a, int32_t b) {
      return sizes[static_cast<size_t>(a)] + sizes[static_cast<size_t>(b)] < max_size;
    };
    for (uint32_t w : current_) {
      Word& word = words_[w];
      int32_t* s = symbols_.data() + word.begin;
      uint32_t kept = 0;
      for (uint32_t i = 0; i < word.size; ++i) {
        if (s[i] != left || i + 1 == word.size || s[i + 1] != right) {
          s[kept++] = s[i];
          continue;
        }
        if (kept > 0) {
          remove(pair_key(s[kept - 1], left), w);
          if (fits(s[kept - 1], result)) add(pair_key(s[kept - 1], result), w);
        }
        if (i + 2 < word.size) {
          remove(pair_key(right, s[i + 2]), w);
          if (fits(result, s[i + 2])) add(pair_key(result, s[i + 2]), w);
        }
        s[kept++] = result;
        ++i;
      }
      word.size = kept;
    }
    current_ = {};
    queue_touched();
  }

 private:
  struct Word {
    size_t begin;
    uint32_t size;
    uint64_t count;
  };
  struct Candidate {
    uint64_t count, pair;
    uint32_t list;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  void add(uint64_t pair, size_t word) {
    auto& slot = pairs_.at(pair);
    slot.count += static_cast<int64_t>(words_[word].count);
    if (slot.list < 0) {
      slot.list = static_cast<int32_t>(lists_.size());
      lists_.emplace_back();
      touched_.push_back(pair);
    }
    auto& list = lists_[static_cast<size_t>(slot.list)];
    if (list.empty() || list.back() != word) list.push_back(static_cast<uint32_t>(word));
  }
  void remove(uint64_t pair, size_t word) { pairs_.at(pair).count -= static_cast<int64_t>(words_[word].count); }

  void queue_touched() {
    for (uint64_t pair : touched_) {
      auto& slot = pairs_.at(pair);
      if (slot.count > 0)
        queue_.push({static_cast<uint64_t>(slot.count), pair, static_cast<uint32_t>(slot.list)});
      else
        lists_[static_cast<size_t>(slot.list)] = {};
      slot.list = -1;
    }
    touched_.clear();
  }

  std::vector<int32_t> symbols_;
  std::vector<Word> words_;
  PairTable pairs_;
  std::vector<std::vector<uint32_t>> lists_;
  std::vector<uint64_t> touched_;
  std::vector<uint32_t> current_;
  std::priority_queue<Candidate> queue_;
};

void add_special_tokens(TokenizerParts& parts, std::span<const std::string> contents) {
  for (auto& content : contents) {
    if (content.empty() || std::find(parts.tokens.begin(), parts.tokens.end(), content) != parts.tokens.end()) continue;
    if (content.size() == 1) throw UsageError("a special token needs at least two characters, not '" + content + "'");
    AddedToken token;
    token.content = content;
    parts.add(token);
  }
}

// Appends the byte tokens in the order of their printable characters, as Hugging Face sorts its alphabet.
std::vector<int32_t> add_alphabet(TokenizerParts& parts, std::span<const CountedWord> words, bool whole) {
  std::vector<bool> seen(256, whole);
  for (auto& word : words)
    for (char byte : word.bytes) seen[static_cast<unsigned char>(byte)] = true;
  std::vector<int> order;
  for (int b = 0; b < 256; ++b)
    if (seen[static_cast<size_t>(b)]) order.push_back(b);
  auto& characters = byte_characters();
  std::sort(order.begin(), order.end(),
            [&](int a, int b) { return characters[static_cast<size_t>(a)] < characters[static_cast<size_t>(b)]; });
  std::vector<int32_t> ids(256, -1);
  for (int b : order) {
    ids[static_cast<size_t>(b)] = static_cast<int32_t>(parts.tokens.size());
    parts.tokens.push_back(std::string(1, static_cast<char>(b)));
  }
  return ids;
}

}  // namespace

BpeTraining train_bbpe(Context& context, std::span<const CountedWord> words, const BpeTrainerOptions& options) {
  BpeTraining training;
  TokenizerParts& parts = training.parts;
  parts.pretokenizer = options.pretokenizer;
  add_special_tokens(parts, options.special_tokens);
  std::vector<int32_t> byte_ids = add_alphabet(parts, words, options.whole_alphabet);

  std::unordered_map<std::string, int32_t> ids;
  std::vector<int64_t> sizes;
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    ids.emplace(parts.tokens[id], static_cast<int32_t>(id));
    sizes.push_back(static_cast<int64_t>(parts.tokens[id].size()));
  }
  int64_t max_size = options.max_token_bytes > 0 ? options.max_token_bytes : INT64_MAX;
  MergeState state(words, byte_ids);
  uint64_t pair = 0, count = 0;
  while (static_cast<int64_t>(parts.tokens.size()) < options.vocab_size &&
         state.next(options.min_frequency, pair, count)) {
    auto left = static_cast<int32_t>(pair >> 32), right = static_cast<int32_t>(pair & 0xFFFFFFFF);
    std::string token = parts.tokens[static_cast<size_t>(left)] + parts.tokens[static_cast<size_t>(right)];
    auto [entry, fresh] = ids.try_emplace(token, static_cast<int32_t>(parts.tokens.size()));
    if (static_cast<size_t>(entry->second) < parts.added.size()) continue;  // text must never become a control token
    if (fresh) {
      sizes.push_back(static_cast<int64_t>(token.size()));
      parts.tokens.push_back(std::move(token));
    }
    parts.merges.push_back({left, right, entry->second});
    training.merge_counts.push_back(count);
    state.merge(pair, entry->second, sizes, max_size);
    if (parts.merges.size() % 256 == 0) {
      if (context.stop.requested())
        throw Error("interrupted before the vocabulary was complete", ExitCode::interrupted);
      context.progress.update(static_cast<double>(parts.tokens.size()), static_cast<double>(options.vocab_size),
                              "tokens", "merging");
    }
  }
  return training;
}

TokenizerParts train_characters(std::span<const CountedWord> words, std::span<const std::string> special_tokens) {
  TokenizerParts parts;
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.pretokenizer = "none";
  add_special_tokens(parts, special_tokens);
  std::set<std::string> characters;  // UTF-8 sorts like code points
  for (auto& word : words) {
    const char *p = word.bytes.data(), *end = p + word.bytes.size();
    while (p < end) {
      Utf8Char c = decode_utf8(p, end);
      if (c.code_point != 0xFFFFFFFF) characters.emplace(p, c.length);
      p += c.length;
    }
  }
  parts.tokens.insert(parts.tokens.end(), characters.begin(), characters.end());
  return parts;
}

}  // namespace llmkit::tokenizer
