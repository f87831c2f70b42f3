#include "tokenizer/character_trainer.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "tokenizer/external_merges.h"
#include "tokenizer/likelihood_merges.h"
#include "tokenizer/merge_learner.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

template <class F>
void for_characters(std::string_view word, F&& f) {
  const char *p = word.data(), *end = p + word.size();
  while (p < end) {
    Utf8Char c = decode_utf8(p, end);
    f(std::string_view(p, c.length), c.code_point != 0xFFFFFFFF);
    p += c.length;
  }
}

struct Characters {
  std::map<std::string, uint64_t, std::less<>> first, inner;  // UTF-8 sorts like code points
  uint64_t all = 0;
};

// The characters that make up `coverage` of the text, the most frequent first chosen.
void cover(Characters& c, double coverage) {
  std::map<std::string, uint64_t, std::less<>> sums = c.first;
  for (auto& [character, count] : c.inner) sums[character] += count;
  std::vector<std::pair<uint64_t, std::string>> by_count;
  for (auto& [character, count] : sums) by_count.push_back({count, character});
  std::sort(by_count.begin(), by_count.end(),
            [](auto& a, auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  uint64_t covered = 0;
  for (auto& [count, character] : by_count) {
    if (static_cast<double>(covered) < coverage * static_cast<double>(c.all)) {
      covered += count;
      continue;
    }
    c.first.erase(character);
    c.inner.erase(character);
  }
}

}  // namespace

void add_special_tokens(TokenizerParts& parts, std::span<const std::string> contents) {
  for (auto& content : contents) {
    if (content.empty() || std::find(parts.tokens.begin(), parts.tokens.end(), content) != parts.tokens.end()) continue;
    if (content.size() == 1) throw UsageError("a special token needs at least two characters, not '" + content + "'");
    AddedToken token;
    token.content = content;
    parts.add(token);
  }
}

void add_byte_tokens(TokenizerParts& parts) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (int b = 0; b < 256; ++b) parts.tokens.push_back(std::string("<0x") + kDigits[b >> 4] + kDigits[b & 15] + ">");
}

BpeTraining train_characters_bpe(Context& context, WordCounter& counter,
                                 const std::function<std::string(std::string_view)>& word_of,
                                 const CharacterTrainerOptions& options) {
  bool wordpiece = !options.word_prefix.empty();
  Characters characters;
  BpeTraining training;
  counter.for_words([&](const CountedWord& piece) {
    ++training.distinct_words;
    std::string word = word_of(piece.bytes);
    bool first = true;
    for_characters(word, [&](std::string_view c, bool valid) {
      characters.all += piece.count;
      if (valid) (first || !wordpiece ? characters.first : characters.inner)[std::string(c)] += piece.count;
      first = false;
    });
  });
  cover(characters, options.character_coverage);

  TokenizerParts& parts = training.parts;
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.word_prefix = options.word_prefix;
  add_special_tokens(parts, options.special_tokens);
  parts.byte_fallback = options.byte_fallback;
  if (options.byte_fallback) add_byte_tokens(parts);
  std::map<std::string, int32_t, std::less<>> first, inner;
  auto add = [&](const std::string& spelling) {
    parts.tokens.push_back(spelling);
    return static_cast<int32_t>(parts.tokens.size() - 1);
  };
  for (auto& [c, count] : characters.inner) characters.first.try_emplace(c, 0);
  for (auto& [c, count] : characters.first) first[c] = add(c);
  for (auto& [c, count] : characters.inner) inner[c] = add(options.word_prefix + c);

  MergeLearner learner(context, parts, options.merges);
  // put(symbols, count) for every word, or for the parts of one around what is unknown.
  auto take_words = [&](auto&& put) {
    std::vector<int32_t> symbols;
    counter.take_words([&](const CountedWord& piece) {
      std::string word = word_of(piece.bytes);
      bool at_first = true;
      symbols.clear();
      for_characters(word, [&](std::string_view c, bool) {
        auto& ids = at_first || !wordpiece ? first : inner;
        at_first = false;
        auto id = ids.find(c);
        if (id != ids.end()) {
          symbols.push_back(id->second);
        } else {
          put(symbols, piece.count);
          symbols.clear();
        }
      });
      put(symbols, piece.count);
    });
  };
  bool fits = !counter.spilled() && (context.memory_bytes == 0 || counter.training_bytes() <= context.memory_bytes);
  if (options.score == MergeScore::likelihood) {
    LikelihoodMerges likelihood;
    take_words([&](std::span<const int32_t> symbols, uint64_t count) { likelihood.add_word(symbols, count); });
    likelihood.learn(learner);
  } else if (fits) {
    PairMerger merger(context.parallel, learner.sizes(), parts.tokens.size(), learner.max_size());
    take_words([&](std::span<const int32_t> symbols, uint64_t count) { merger.add_word(symbols, count); });
    learner.merge_down_to(merger, learner.floor());
  } else {
    training.external = learn_external_merges(context, learner, parts, take_words);
  }
  training.merge_counts = learner.take_counts();
  return training;
}

}  // namespace llmkit::tokenizer
