#include "text/html_tokenizer.h"

#include <algorithm>
#include <cstring>

#include "text/html_entities.h"

namespace llmkit::text {
namespace {

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\f';
}
char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool starts_with_nocase(std::string_view text, std::string_view lower) {
  if (text.size() < lower.size()) return false;
  for (size_t i = 0; i < lower.size(); ++i)
    if (to_lower(text[i]) != lower[i]) return false;
  return true;
}

size_t find(std::string_view text, char c, size_t from) {
  size_t at = text.find(c, from);
  return at == std::string_view::npos ? text.size() : at;
}

}  // namespace

std::string_view HtmlTokenizer::lower(std::string_view text) {
  bool plain = std::none_of(text.begin(), text.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '\0'; });
  if (plain) return text;
  text = without_nul(text);
  char* to = arena_.chars(text.size());
  std::transform(text.begin(), text.end(), to, to_lower);
  return {to, text.size()};
}

std::string_view HtmlTokenizer::without_nul(std::string_view text) {
  if (text.empty() || std::memchr(text.data(), '\0', text.size()) == nullptr) return text;
  char* start = arena_.chars(text.size() * 3);
  char* to = start;
  for (char c : text) {
    if (c == '\0')
      to = std::copy_n("\xEF\xBF\xBD", 3, to);
    else
      *to++ = c;
  }
  return {start, static_cast<size_t>(to - start)};
}

void HtmlTokenizer::next(Token& token) {
  token = {};
  while (position_ < source_.size()) {
    bool found;
    if (state_ == State::data) {
      found = data(token);
    } else if (state_ == State::plaintext) {
      token.type = Token::Type::characters;
      token.text = without_nul(source_.substr(position_));
      position_ = source_.size();
      found = true;
    } else {
      found = raw_text(token);
    }
    if (found) return;
  }
  token = {};
}

// Text up to the next markup, or the markup at the current position. False: something was read that is no token.
bool HtmlTokenizer::data(Token& token) {
  const size_t start = position_;
  size_t at = start;
  for (;; ++at) {
    at = find(source_, '<', at);
    if (at + 1 >= source_.size()) {
      at = source_.size();
      break;
    }
    char c = source_[at + 1];
    if (letter(c) || c == '!' || c == '?') break;
    if (c == '/' && at + 2 < source_.size()) break;
  }
  if (at == start) return markup(token);
  token.type = Token::Type::characters;
  token.text = decode_entities(source_.substr(start, at - start), false, arena_);
  position_ = at;
  return true;
}

bool HtmlTokenizer::markup(Token& token) {
  char c = source_[position_ + 1];
  if (letter(c)) return tag(token, false);
  if (c == '/') {
    char d = source_[position_ + 2];
    if (letter(d)) return tag(token, true);
    if (d == '>') {
      position_ += 3;
      return false;
    }
    bogus_comment(token, position_ + 2);
    return true;
  }
  if (c == '?') {
    bogus_comment(token, position_ + 1);
    return true;
  }
  std::string_view after = source_.substr(position_ + 2);
  if (after.substr(0, 2) == "--") {
    comment(token);
  } else if (starts_with_nocase(after, "doctype")) {
    doctype(token);
  } else if (cdata_ && after.substr(0, 7) == "[CDATA[") {
    size_t start = position_ + 9;
    size_t end = source_.find("]]>", start);
    position_ = end == std::string_view::npos ? source_.size() : end + 3;
    token.type = Token::Type::characters;
    token.text = source_.substr(start, end == std::string_view::npos ? end : end - start);
    return !token.text.empty();
  } else {
    bogus_comment(token, position_ + 2);
  }
  return true;
}

void HtmlTokenizer::bogus_comment(Token& token, size_t from) {
  size_t end = find(source_, '>', from);
  token.type = Token::Type::comment;
  token.text = without_nul(source_.substr(from, end - from));
  position_ = std::min(end + 1, source_.size());
}

void HtmlTokenizer::comment(Token& token) {
  const size_t start = position_ + 4;
  token.type = Token::Type::comment;
  std::string_view rest = source_.substr(start);
  if (rest.substr(0, 1) == ">" || rest.substr(0, 2) == "->") {
    position_ = start + (rest[0] == '>' ? 1 : 2);
    return;
  }
  for (size_t at = rest.find("--"); at != std::string_view::npos; at = rest.find("--", at + 1)) {
    size_t close = rest.substr(at, 3) == "-->" ? 3 : rest.substr(at, 4) == "--!>" ? 4 : 0;
    if (close == 0) continue;
    token.text = without_nul(rest.substr(0, at));
    position_ = start + at + close;
    return;
  }
  for (std::string_view end :
       {"--!", "--", "-"}) {  // the end of the file closes a comment; half an end mark is not text
    if (!rest.ends_with(end)) continue;
    rest.remove_suffix(end.size());
    break;
  }
  token.text = without_nul(rest);
  position_ = source_.size();
}

void HtmlTokenizer::doctype(Token& token) {
  token.type = Token::Type::doctype;
  const size_t size = source_.size();
  size_t at = position_ + 9;
  auto skip_space = [&] {
    while (at < size && space(source_[at])) ++at;
  };
  auto finish = [&](bool quirks) {  // a broken doctype: everything up to '>' is skipped
    token.force_quirks = token.force_quirks || quirks;
    position_ = std::min(find(source_, '>', at) + 1, size);
  };
  skip_space();
  size_t name_start = at;
  while (at < size && !space(source_[at]) && source_[at] != '>') ++at;
  token.name = lower(source_.substr(name_start, at - name_start));
  if (token.name.empty()) return finish(true);
  skip_space();
  if (at >= size) return finish(true);
  if (source_[at] == '>') return finish(false);
  bool is_public = starts_with_nocase(source_.substr(at), "public");
  if (!is_public && !starts_with_nocase(source_.substr(at), "system")) return finish(true);
  at += 6;
  // Reads one quoted id; false where there is none, and the doctype is then finished unless `optional`.
  auto quoted = [&](std::string_view& id, bool& has) {
    skip_space();
    if (at >= size || (source_[at] != '"' && source_[at] != '\'')) return false;
    char quote = source_[at];
    size_t end = at + 1;
    while (end < size && source_[end] != quote && source_[end] != '>') ++end;
    id = without_nul(source_.substr(at + 1, end - at - 1));
    has = true;
    at = end;
    if (end < size && source_[end] == quote)
      ++at;
    else
      token.force_quirks = true;
    return true;
  };
  if (is_public) {
    if (!quoted(token.public_id, token.has_public)) return finish(true);
    if (token.force_quirks) return finish(true);
    skip_space();
    if (at >= size) return finish(true);
    if (source_[at] == '>') return finish(false);
    if (!quoted(token.system_id, token.has_system)) return finish(true);
  } else if (!quoted(token.system_id, token.has_system)) {
    return finish(true);
  }
  skip_space();
  finish(at >= size);
}

bool HtmlTokenizer::tag(Token& token, bool end) {
  const size_t size = source_.size();
  const size_t start = position_ + (end ? 2 : 1);
  size_t at = start;
  while (at < size && !space(source_[at]) && source_[at] != '/' && source_[at] != '>') ++at;
  position_ = at;
  token.name = lower(source_.substr(start, at - start));
  attributes(token);
  if (position_ >= size) return false;  // the file ended inside the tag: it is dropped
  ++position_;
  token.type = end ? Token::Type::end_tag : Token::Type::start_tag;
  token.tag = find_tag(token.name);
  if (end) token.attributes = nullptr;
  return true;
}

// Leaves position_ at the closing '>' or at the end of the source.
void HtmlTokenizer::attributes(Token& token) {
  const size_t size = source_.size();
  size_t at = position_;
  Attribute** tail = &token.attributes;
  int count = 0;
  for (;;) {
    bool slash = false;
    for (; at < size && (space(source_[at]) || source_[at] == '/'); ++at) slash = source_[at] == '/';
    if (at < size && source_[at] == '>') token.self_closing = slash;
    if (at >= size || source_[at] == '>') break;
    size_t name_start = at++;  // the first character may be anything, '=' too
    while (at < size && !space(source_[at]) && source_[at] != '/' && source_[at] != '>' && source_[at] != '=') ++at;
    std::string_view name = source_.substr(name_start, at - name_start);
    while (at < size && space(source_[at])) ++at;
    std::string_view value;
    if (at < size && source_[at] == '=') {
      ++at;
      while (at < size && space(source_[at])) ++at;
      if (at >= size) break;
      char quote = source_[at];
      size_t value_start = at;
      if (quote == '"' || quote == '\'') {
        ++value_start;
        at = find(source_, quote, value_start);
        if (at >= size) break;
        value = source_.substr(value_start, at - value_start);
        ++at;
      } else {
        while (at < size && !space(source_[at]) && source_[at] != '>') ++at;
        value = source_.substr(value_start, at - value_start);
      }
    }
    if (count >= kMaxAttributes) continue;
    name = lower(name);
    bool known = false;
    for (Attribute* a = token.attributes; a != nullptr && !known; a = a->next) known = a->name == name;
    if (known) continue;
    *tail = arena_.make<Attribute>(name, without_nul(decode_entities(value, true, arena_)));
    tail = &(*tail)->next;
    ++count;
  }
  position_ = std::min(at, size);
}

bool HtmlTokenizer::is_end_tag_at(size_t at, std::string_view name) const {
  std::string_view rest = source_.substr(at);
  if (rest.size() < name.size() + 3 || rest[1] != '/' || !starts_with_nocase(rest.substr(2), name)) return false;
  char after = rest[name.size() + 2];
  return space(after) || after == '/' || after == '>';
}

size_t HtmlTokenizer::find_raw_end(size_t from) const {
  size_t at = find(source_, '<', from);
  while (at < source_.size() && !is_end_tag_at(at, raw_end_)) at = find(source_, '<', at + 1);
  return at;
}

// In a script "<!-- <script> … </script> -->" hides an end tag (the escaped and double escaped states).
size_t HtmlTokenizer::find_script_end(size_t from) const {
  enum { plain, escaped, twice } mode = plain;
  for (size_t at = from; at < source_.size(); ++at) {
    char c = source_[at];
    if (c == '-' && mode != plain && source_.substr(at, 3) == "-->") {
      mode = plain;
    } else if (c == '<') {
      if (mode == plain && source_.substr(at, 4) == "<!--") {
        mode = escaped;
        at += 1;  // "<!-->" closes at once: its dashes count twice
      } else if (is_end_tag_at(at, "script")) {
        if (mode != twice) return at;
        mode = escaped;
      } else if (mode == escaped && starts_with_nocase(source_.substr(at), "<script") && at + 7 < source_.size()) {
        char after = source_[at + 7];
        if (space(after) || after == '/' || after == '>') mode = twice;
      }
    } else if (mode == plain) {
      at = find(source_, '<', at) - 1;
    }
  }
  return source_.size();
}

bool HtmlTokenizer::raw_text(Token& token) {
  size_t end = state_ == State::script ? find_script_end(position_) : find_raw_end(position_);
  std::string_view text = source_.substr(position_, end - position_);
  bool decode = state_ == State::rcdata;
  if (end == position_) {
    state_ = State::data;
    return tag(token, true);
  }
  token.type = Token::Type::characters;
  token.text = without_nul(decode ? decode_entities(text, false, arena_) : text);
  position_ = end;
  return true;
}

}  // namespace llmkit::text
