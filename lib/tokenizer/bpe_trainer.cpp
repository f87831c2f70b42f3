#include "tokenizer/bpe_trainer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/character_trainer.h"
#include "tokenizer/external_merges.h"
#include "tokenizer/merge_learner.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

// Appends the byte tokens in the order of their printable characters, as Hugging Face sorts its alphabet.
std::vector<int32_t> add_alphabet(TokenizerParts& parts, const std::array<bool, 256>& seen) {
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

// What training needs besides the words: parts with the alphabet, and how a word becomes symbols.
struct Beginning {
  std::vector<int32_t> byte_ids;
  MergeLearnerOptions learner;
  std::unique_ptr<BpeMerger> base;  // the merges of the tokenizer that is extended
  BpeMerger::Scratch scratch;

  void encode(std::string_view bytes, std::vector<int32_t>& symbols) {
    for (char byte : bytes) symbols.push_back(byte_ids[static_cast<unsigned char>(byte)]);
    if (base) base->merge(symbols, 0, scratch);
  }
};

Beginning begin(BpeTraining& training, const std::array<bool, 256>& seen, const BpeTrainerOptions& options) {
  Beginning b;
  if (options.extend) {
    training.parts = *options.extend;
    if (training.parts.model != ModelKind::bpe || training.parts.symbols != TokenizerParts::Symbols::bytes)
      throw UsageError("only a byte-level BPE tokenizer can be extended");
    b.byte_ids.assign(256, -1);
    for (size_t id = 0; id < training.parts.tokens.size(); ++id)
      if (training.parts.tokens[id].size() == 1)
        b.byte_ids[static_cast<unsigned char>(training.parts.tokens[id][0])] = static_cast<int32_t>(id);
    if (std::find(b.byte_ids.begin(), b.byte_ids.end(), -1) != b.byte_ids.end())
      throw UsageError("only a tokenizer with all 256 bytes can be extended");
    add_special_tokens(training.parts, options.special_tokens);
    b.base = std::make_unique<BpeMerger>(training.parts.merges);
  } else {
    training.parts.pretokenizer = options.pretokenizer;
    add_special_tokens(training.parts, options.special_tokens);
    b.byte_ids = add_alphabet(training.parts, seen);
  }
  b.learner.vocab_size = options.vocab_size;
  b.learner.min_frequency = options.min_frequency;
  b.learner.max_token_bytes = options.max_token_bytes;
  if (options.limits.scripts || options.limits.digits)
    b.learner.allowed = [limits = options.limits](std::string_view token) { return allowed_by(limits, token); };
  return b;
}

// Counts of the merges learned; those that were there before have none.
std::vector<uint64_t> all_counts(MergeLearner& learner, const BpeTrainerOptions& options) {
  std::vector<uint64_t> counts(options.extend ? options.extend->merges.size() : 0);
  auto learned = learner.take_counts();
  counts.insert(counts.end(), learned.begin(), learned.end());
  return counts;
}

}  // namespace

BpeTraining train_bbpe(Context& context, WordCounter& counter, const BpeTrainerOptions& options) {
  bool fits = !counter.spilled() && (context.memory_bytes == 0 || counter.training_bytes() <= context.memory_bytes);
  BpeTraining training;
  auto seen = counter.bytes_seen();
  if (options.whole_alphabet) seen.fill(true);
  Beginning b = begin(training, seen, options);
  MergeLearner learner(context, training.parts, b.learner);
  auto take_words = [&](auto&& put) {
    std::vector<int32_t> symbols;
    counter.take_words([&](const CountedWord& word) {
      ++training.distinct_words;
      symbols.clear();
      b.encode(word.bytes, symbols);
      put(symbols, word.count);
    });
  };
  if (fits) {
    PairMerger merger(context.parallel, learner.sizes(), training.parts.tokens.size(), learner.max_size());
    take_words([&](std::span<const int32_t> symbols, uint64_t count) { merger.add_word(symbols, count); });
    learner.merge_down_to(merger, learner.floor());
  } else {
    counter.spill();
    training.external = learn_external_merges(context, learner, training.parts, take_words);
  }
  training.merge_counts = all_counts(learner, options);
  return training;
}

namespace {

void add_characters(std::string_view word, std::set<std::string>& characters) {
  const char *p = word.data(), *end = p + word.size();
  while (p < end) {
    Utf8Char c = decode_utf8(p, end);
    if (c.code_point != 0xFFFFFFFF) characters.emplace(p, c.length);
    p += c.length;
  }
}

TokenizerParts character_parts(const std::set<std::string>& characters, std::span<const std::string> special_tokens) {
  TokenizerParts parts;
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.pretokenizer = "none";
  add_special_tokens(parts, special_tokens);
  parts.tokens.insert(parts.tokens.end(), characters.begin(), characters.end());  // UTF-8 sorts like code points
  return parts;
}

}  // namespace

TokenizerParts train_characters(std::span<const CountedWord> words, std::span<const std::string> special_tokens) {
  std::set<std::string> characters;
  for (auto& word : words) add_characters(word.bytes, characters);
  return character_parts(characters, special_tokens);
}

TokenizerParts train_characters(WordCounter& counter, std::span<const std::string> special_tokens) {
  std::set<std::string> characters;
  counter.for_words([&](const CountedWord& word) { add_characters(word.bytes, characters); });
  return character_parts(characters, special_tokens);
}

}  // namespace llmkit::tokenizer
