// A Tokenizer's construction and look-ups; encoding is in tokenizer_encode.cpp and encoder*.cpp, decoding in
// tokenizer_decode.cpp.
#include "tokenizer/tokenizer.h"

#include <algorithm>

#include "base/hash.h"
#include "tokenizer/normalizers/sentencepiece.h"
#include "tokenizer/unicode_class.h"
#include "tokenizer/workspace.h"

namespace llmkit::tokenizer {
namespace {

// Of what decides which ids a text gets, in one canonical byte string.
uint64_t hash_of(const TokenizerParts& parts) {
  std::string all = parts.pretokenizer;
  auto number = [&](int64_t n) { all.append(reinterpret_cast<const char*>(&n), sizeof n); };
  auto text = [&](std::string_view s) {
    number(static_cast<int64_t>(s.size()));
    all += s;
  };
  number(static_cast<int64_t>(parts.symbols));
  number(parts.ignore_merges);
  text(parts.unk);
  for (auto& token : parts.tokens) text(token);
  for (auto& m : parts.merges)
    for (int32_t id : {m.left, m.right, m.result}) number(id);
  for (auto& a : parts.added) {
    number(a.id);
    number(a.special | a.single_word << 1 | a.lstrip << 2 | a.rstrip << 3 | a.normalized << 4);
  }
  if (parts.model != ModelKind::bpe || parts.byte_fallback || parts.fuse_unk || !parts.normalizers.empty() ||
      !parts.scores.empty() || !parts.types.empty() || !parts.word_prefix.empty() || !parts.word_suffix.empty()) {
    number(static_cast<int64_t>(parts.model));
    number(parts.byte_fallback | parts.fuse_unk << 1);
    number(parts.max_word_characters);
    for (auto& spec : parts.normalizers) text(spec);
    text(parts.word_prefix);
    text(parts.word_suffix);
    all.append(reinterpret_cast<const char*>(parts.scores.data()), parts.scores.size() * sizeof(float));
    all.append(reinterpret_cast<const char*>(parts.types.data()), parts.types.size());
  }
  return xxh3_64(all);
}

std::unique_ptr<SubwordModel> make_model(const Vocabulary& vocabulary) {
  switch (vocabulary.parts.model) {
    case ModelKind::unigram:
      return make_unigram_model(vocabulary);
    case ModelKind::wordpiece:
      return make_wordpiece_model(vocabulary);
    default:
      return make_bpe_model(vocabulary);
  }
}

bool marks_last(const TokenizerParts& parts) {
  return !parts.normalizers.empty() && parse_spec(parts.normalizers.back()).name == "metaspace";
}

std::vector<std::string> steps_before_marks(const TokenizerParts& parts) {
  std::vector<std::string> steps = parts.normalizers;
  if (marks_last(parts)) steps.pop_back();
  return steps;
}

// The added tokens that are looked for in normal text, spelled as they are there, and the user-defined pieces of
// SentencePiece, which are spelled so already. Hugging Face normalises a token as if it were a text, so that a Prepend
// stands before it, too; SentencePiece's own mark belongs to texts alone.
std::vector<AddedToken> late_tokens(const TokenizerParts& parts) {
  std::vector<std::string> steps = steps_before_marks(parts);
  NormalizerChain normalizers(steps);
  bool own =
      std::any_of(steps.begin(), steps.end(), [](auto& step) { return parse_spec(step).name == "sentencepiece"; });
  std::vector<AddedToken> late;
  std::vector<bool> added(parts.tokens.size());
  for (auto& token : parts.added) {
    if (token.id >= 0) added[static_cast<size_t>(token.id)] = true;
    if (!token.normalized) continue;
    late.push_back(token);
    if (normalizers.empty()) continue;
    late.back().content.clear();
    normalizers.normalize(token.content, own ? TextStart::inside : TextStart::segment, late.back().content, nullptr);
  }
  if (parts.model == ModelKind::bpe) {
    for (size_t id = 0; id < parts.types.size() && id < parts.tokens.size(); ++id) {
      if (parts.types[id] != TokenType::user_defined || added[id] || parts.tokens[id].empty()) continue;
      AddedToken token;
      token.content = parts.tokens[id];
      token.id = static_cast<int32_t>(id);
      token.special = false;
      token.normalized = true;
      late.push_back(token);
    }
  }
  return late;
}

}  // namespace

int32_t TokenizerParts::add(const AddedToken& token) {
  auto content = std::find(tokens.begin(), tokens.end(), token.content);
  AddedToken entry = token;
  entry.id = static_cast<int32_t>(content - tokens.begin());
  if (content == tokens.end()) {
    tokens.push_back(token.content);
    if (!types.empty()) types.push_back(token.special ? TokenType::control : TokenType::user_defined);
    if (!scores.empty()) scores.push_back(0);
  }
  std::erase_if(added, [&](const AddedToken& a) { return a.id == entry.id; });
  auto after = std::find_if(added.begin(), added.end(), [&](const AddedToken& a) { return a.id > entry.id; });
  added.insert(after, entry);
  return entry.id;
}

Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer::Tokenizer(TokenizerParts parts)
    : parts_(std::make_unique<const TokenizerParts>(std::move(parts))),
      vocabulary_(std::make_unique<const Vocabulary>(*parts_)),
      model_(make_model(*vocabulary_)),
      normalizers_(parts_->normalizers),
      pretokenizer_(pretokenizers().make(parts_->pretokenizer)),
      late_(std::make_unique<const std::vector<AddedToken>>(late_tokens(*parts_))),
      first_(parts_->added, false),
      second_(*late_, true),
      special_(parts_->tokens.size()),
      hash_(hash_of(*parts_)),
      pool_(std::make_unique<Pool>()) {
  for (auto& token : parts_->added)
    if (token.id >= 0) special_[static_cast<size_t>(token.id)] = token.special;
  for (size_t id = 0; id < parts_->types.size() && id < special_.size(); ++id)
    if (parts_->types[id] == TokenType::control) special_[id] = true;
  cuts_characters_ = parts_->model == ModelKind::bpe && parts_->word_prefix.empty() && parts_->word_suffix.empty();
  if (cuts_characters_) cuts_ = CharacterCuts(parts_->tokens);
  if (!late_->empty() && marks_last(*parts_)) {
    before_marks_ = std::make_unique<NormalizerChain>(steps_before_marks(*parts_));
    marks_ = std::make_unique<NormalizerChain>(std::vector{parts_->normalizers.back()});
  }
  find_joins();
  if (vocabulary_->whole_text) prepare_sentences();
  spell_texts();
}

void Tokenizer::find_joins() {
  for (size_t id = 0; id < parts_->tokens.size(); ++id) {
    const std::string& token = parts_->tokens[id];
    if (vocabulary_->control[id]) continue;
    for (size_t at = token.find(kSpaceMark, 1); at != std::string::npos; at = token.find(kSpaceMark, at + 1))
      joins_[static_cast<unsigned char>(token[at - 1])] = true;
  }
  if (!vocabulary_->ids.contains(kSpaceMark)) joins_.fill(true);
  // safe_cut cuts before a space with letters around it, or behind a newline.
  bool letters_join = false;
  for (size_t c = 0; c < 128; ++c) letters_join |= joins_[c];
  tiles_ = vocabulary_->whole_text ? !normalizers_.empty() && !letters_join : pretokenizer_->breaks_at_words();
  tiles_ = tiles_ && !normalizers_.needs_whole_text();
  for (auto& token : *late_) tiles_ &= token.content.find_first_of(" \n") == std::string::npos;
  if (vocabulary_->whole_text)  // a newline may stand inside a token there
    for (auto& token : parts_->tokens) tiles_ &= token.size() < 2 || token.find('\n') == std::string::npos;
}

void Tokenizer::prepare_sentences() {
  scores_ = parts_->scores;
  scores_.resize(parts_->tokens.size());
  auto letters = std::span(joins_).subspan('!', '~' - '!' + 1);
  bool letters_join = std::find(letters.begin(), letters.end(), true) != letters.end();
  auto* step = dynamic_cast<const SentencePieceNormalizer*>(normalizers_.only());
  if (step && step->keeps_words() && !letters_join) sentence_normalizer_ = step;

  cuts_sentences_ = parts_->word_prefix.empty() && parts_->word_suffix.empty() && !parts_->ignore_merges;
  for (auto& token : parts_->tokens) {
    neighbours_.add(token);
    for (const char *p = token.data(), *end = p + token.size(); p < end;) {
      Utf8Char c = decode_utf8(p, end);
      cuts_sentences_ &= c.code_point != 0xFFFFFFFF;
      p += c.length;
    }
  }
  if (cuts_sentences_) cuts_ = CharacterCuts(parts_->tokens, 20);
}

std::optional<int32_t> Tokenizer::role(std::string_view content) const {
  return content.empty() ? std::nullopt : token_id(content);
}

std::optional<int32_t> Tokenizer::token_id(std::string_view spelling) const {
  auto found = vocabulary_->ids.find(spelling);
  return found == vocabulary_->ids.end() ? std::nullopt : std::optional(found->second);
}

std::string_view Tokenizer::spelling(int32_t id) const {
  return id < 0 || id >= vocab_size() ? std::string_view() : parts_->tokens[static_cast<size_t>(id)];
}

bool Tokenizer::is_special(int32_t id) const {
  return id >= 0 && id < vocab_size() && special_[static_cast<size_t>(id)];
}

}  // namespace llmkit::tokenizer
