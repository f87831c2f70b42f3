// WordPiece (Wu et al., "Google's neural machine translation system", 2016; Devlin et al., BERT, 2019): the longest
// token that starts the word, then the longest with the prefix "##" that continues it, …; a word that cannot be
// finished, or is too long, is one unknown token.
#include "tokenizer/subword_model.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

class WordPieceModel : public SubwordModel {
 public:
  explicit WordPieceModel(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {
    auto& parts = vocabulary.parts;
    std::vector<std::pair<std::string_view, int32_t>> first, next;
    for (size_t id = 0; id < parts.tokens.size(); ++id) {
      std::string_view token = parts.tokens[id];
      if (vocabulary.control[id]) continue;
      first.emplace_back(token, static_cast<int32_t>(id));
      if (token.starts_with(parts.word_prefix)) {
        token.remove_prefix(parts.word_prefix.size());
        next.emplace_back(token, static_cast<int32_t>(id));
      }
    }
    first_ = ByteTrie(std::move(first));
    next_ = ByteTrie(std::move(next));
  }

  void encode(std::string_view piece, std::vector<int32_t>& out, Scratch&) const override {
    const char *begin = piece.data(), *p = begin, *end = p + piece.size();
    size_t from = out.size();
    bool known = within_limit(piece);
    while (known && p < end) {
      auto match = (p == begin ? first_ : next_).longest(p, end);
      known = match.value >= 0;
      if (known) out.push_back(match.value);
      p += match.length;
    }
    if (known) return;
    out.resize(from);
    if (vocabulary_.unk >= 0) out.push_back(vocabulary_.unk);
  }

 private:
  bool within_limit(std::string_view piece) const {
    auto limit = static_cast<size_t>(vocabulary_.parts.max_word_characters);
    if (piece.size() <= limit) return true;
    size_t characters = 0;
    for (char c : piece) characters += (c & 0xC0) != 0x80;
    return characters <= limit;
  }

  const Vocabulary& vocabulary_;
  ByteTrie first_, next_;
};

}  // namespace

std::unique_ptr<SubwordModel> make_wordpiece_model(const Vocabulary& vocabulary) {
  return std::make_unique<WordPieceModel>(vocabulary);
}

}  // namespace llmkit::tokenizer
