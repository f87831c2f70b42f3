#include <array>

#include "tokenizer/tokenizer.h"

namespace llmkit::tokenizer {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// What Hugging Face's WordPiece decoder does to each word with its space.
void clean_up(std::string& word) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kRules{{{" .", "."},
                                                                                         {" ?", "?"},
                                                                                         {" !", "!"},
                                                                                         {" ,", ","},
                                                                                         {" ' ", "'"},
                                                                                         {" n't", "n't"},
                                                                                         {" 'm", "'m"},
                                                                                         {" do not", " don't"},
                                                                                         {" 's", "'s"},
                                                                                         {" 've", "'ve"},
                                                                                         {" 're", "'re"}}};
  for (auto& [from, to] : kRules) replace_all(word, from, to);
}

}  // namespace

void Tokenizer::spell_texts() {
  auto& tokens = parts_->tokens;
  bool has_bytes = false;
  for (int32_t id : vocabulary_->bytes) has_bytes |= id >= 0;
  if (parts_->joining == Joining::bytes && !has_bytes) return;
  std::vector<bool> added(tokens.size());
  for (auto& token : parts_->added)
    if (token.id >= 0) added[static_cast<size_t>(token.id)] = true;
  texts_ = tokens;
  for (size_t id = 0; id < tokens.size(); ++id) {
    std::string& text = texts_[id];
    if (text.empty()) continue;
    switch (parts_->joining) {
      case Joining::metaspace:
        if (!added[id]) replace_all(text, kSpaceMark, " ");
        break;
      case Joining::wordpiece:
        if (!added[id] && text.starts_with(parts_->word_prefix))
          text.erase(0, parts_->word_prefix.size());
        else
          text.insert(0, " ");
        if (parts_->clean_up) clean_up(text);
        break;
      case Joining::suffix:
        if (!parts_->word_suffix.empty() && text.ends_with(parts_->word_suffix))
          text.replace(text.size() - parts_->word_suffix.size(), std::string::npos, " ");
        break;
      case Joining::bytes:
        break;
    }
  }
  // A token that is looked for with the mark of the space before it gives that space back.
  for (auto& token : *late_)
    if (parts_->joining == Joining::metaspace && token.content.starts_with(kSpaceMark))
      texts_[static_cast<size_t>(token.id)].insert(
          0, tokens[static_cast<size_t>(token.id)].starts_with(kSpaceMark) ? "" : " ");
  for (size_t byte = 0; byte < 256; ++byte)
    if (int32_t id = vocabulary_->bytes[byte]; id >= 0)
      texts_[static_cast<size_t>(id)] = std::string(1, static_cast<char>(byte));
}

std::string_view Tokenizer::bytes(int32_t id) const {
  if (id < 0 || id >= vocab_size()) return {};
  return texts_.empty() ? parts_->tokens[static_cast<size_t>(id)] : texts_[static_cast<size_t>(id)];
}

void Tokenizer::decode(int32_t id, std::string& out, bool skip_special, bool first) const {
  if (skip_special && is_special(id)) return;
  std::string_view text = bytes(id);
  bool strip =
      parts_->joining == Joining::wordpiece || (parts_->joining == Joining::metaspace && parts_->drop_first_space);
  if (first && strip && text.starts_with(' ')) text.remove_prefix(1);
  out += text;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::string out;
  bool first = true;
  for (int32_t id : ids) {
    if (skip_special && is_special(id)) continue;
    decode(id, out, false, first);
    first = false;
  }
  if (parts_->joining == Joining::suffix && out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace llmkit::tokenizer
