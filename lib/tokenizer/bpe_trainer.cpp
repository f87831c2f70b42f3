#include "tokenizer/bpe_trainer.h"

#include <algorithm>
#include <set>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/pair_merger.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

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

void add_words(PairMerger& merger, std::span<const CountedWord> words, std::span<const int32_t> byte_ids) {
  size_t bytes = 0;
  for (auto& word : words) bytes += word.bytes.size();
  merger.reserve(words.size(), bytes);
  std::vector<int32_t> symbols;
  for (auto& word : words) {
    symbols.clear();
    for (char byte : word.bytes) symbols.push_back(byte_ids[static_cast<unsigned char>(byte)]);
    merger.add_word(symbols, word.count);
  }
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
  PairMerger merger(sizes, parts.tokens.size(), options.max_token_bytes > 0 ? options.max_token_bytes : INT64_MAX);
  add_words(merger, words, byte_ids);
  auto floor = std::max<uint64_t>(1, options.min_frequency);
  uint64_t pair = 0, count = 0;
  merger.index(floor);
  while (static_cast<int64_t>(parts.tokens.size()) < options.vocab_size) {
    if (!merger.next(pair, count)) {
      if (merger.exhausted(floor)) break;
      merger.index(floor);
      continue;
    }
    auto left = static_cast<int32_t>(pair_left(pair)), right = static_cast<int32_t>(pair_right(pair));
    std::string token = parts.tokens[static_cast<size_t>(left)] + parts.tokens[static_cast<size_t>(right)];
    auto [entry, fresh] = ids.try_emplace(token, static_cast<int32_t>(parts.tokens.size()));
    if (static_cast<size_t>(entry->second) < parts.added.size()) continue;  // text must never become a control token
    if (fresh) {
      sizes.push_back(static_cast<int64_t>(token.size()));
      parts.tokens.push_back(std::move(token));
    }
    parts.merges.push_back({left, right, entry->second});
    training.merge_counts.push_back(count);
    merger.merge(pair, entry->second, fresh);
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
