#include "tokenizer/added_tokens.h"

#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

bool is_word_at(std::string_view text, size_t at) {
  Utf8Char c = decode_utf8(text.data() + at, text.data() + text.size());
  return c.code_point != 0xFFFFFFFF && is_word(c.code_point, class_of(c.code_point));
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(const std::vector<AddedToken>& tokens, bool normalized) {
  ends_.push_back(nullptr);
  for (auto& token : tokens) {
    if (token.normalized != normalized || token.content.empty()) continue;
    tokens_.push_back(&token);
    ordinary_ |= !token.special;
    starts_[static_cast<unsigned char>(token.content[0])] = true;
    uint32_t node = 0;
    for (char c : token.content) {
      auto [edge, fresh] =
          edges_.try_emplace(uint64_t{node} << 8 | static_cast<unsigned char>(c), static_cast<uint32_t>(ends_.size()));
      if (fresh) ends_.push_back(nullptr);
      node = edge->second;
    }
    ends_[node] = &token;
  }
}

const AddedToken* AddedTokenMatcher::longest_at(std::string_view text, size_t at) const {
  const AddedToken* found = nullptr;
  uint32_t node = 0;
  for (; at < text.size(); ++at) {
    auto edge = edges_.find(uint64_t{node} << 8 | static_cast<unsigned char>(text[at]));
    if (edge == edges_.end()) break;
    node = edge->second;
    if (ends_[node]) found = ends_[node];
  }
  return found;
}

AddedTokenMatcher::Match AddedTokenMatcher::next(std::string_view text, size_t from, bool with_special) const {
  for (size_t at = from; at < text.size(); ++at) {
    if (!starts_[static_cast<unsigned char>(text[at])]) continue;
    const AddedToken* token = longest_at(text, at);
    if (!token) continue;
    size_t begin = at, end = at + token->content.size();
    bool wanted = !token->special || with_special;
    if (token->single_word) {
      bool touched = begin > 0 && is_word_at(text, begin - char_before(text, begin).length);
      touched |= end < text.size() && is_word_at(text, end);
      wanted = wanted && !touched;
    }
    if (!wanted) {
      at = end - 1;
      continue;
    }
    if (token->lstrip) {
      while (begin > from) {
        ScannedChar c = char_before(text, begin);
        if (!is_space(c.cls) || c.length > begin - from) break;
        begin -= c.length;
      }
    }
    if (token->rstrip) {
      while (end < text.size()) {
        ScannedChar c = scan_char(text.data() + end, text.data() + text.size());
        if (!is_space(c.cls)) break;
        end += c.length;
      }
    }
    return {begin, end, token};
  }
  return {text.size(), text.size(), nullptr};
}

}  // namespace llmkit::tokenizer
