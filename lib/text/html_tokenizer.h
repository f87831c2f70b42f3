// The HTML tokenizer (HTML standard, 13.2.5), written as a scanner over the whole text rather than a state a character:
// a token is found with memchr and is mostly a view into the source.
#pragma once

#include <cstdint>
#include <string_view>

#include "text/arena.h"
#include "text/html_dom.h"

namespace llmkit::text {

struct Token {
  enum class Type : uint8_t { doctype, start_tag, end_tag, comment, characters, end_of_file };
  Type type = Type::end_of_file;
  Tag tag = Tag::unknown;
  bool self_closing = false;
  bool force_quirks = false;
  bool has_public = false, has_system = false;
  std::string_view name;  // tag or doctype name, lower case
  std::string_view text;  // characters or comment
  std::string_view public_id, system_id;
  Attribute* attributes = nullptr;
};

class HtmlTokenizer {
 public:
  enum class State : uint8_t { data, rcdata, rawtext, script, plaintext };

  // Both must outlive the tokens. CR LF and CR must have been made LF.
  HtmlTokenizer(std::string_view source, Arena& arena) : source_(source), arena_(arena) {}

  void next(Token& token);
  // What follows the start tag just read: text up to `raw_end` in one of the raw states.
  void set_state(State state, std::string_view raw_end) {
    state_ = state;
    raw_end_ = raw_end;
  }
  void allow_cdata(bool allow) { cdata_ = allow; }

 private:
  static constexpr int kMaxAttributes = 256;  // of one tag; the rest is dropped (duplicates are looked for one by one)

  bool data(Token& token);
  bool markup(Token& token);
  bool raw_text(Token& token);
  bool tag(Token& token, bool end);
  void attributes(Token& token);
  void comment(Token& token);
  void bogus_comment(Token& token, size_t from);
  void doctype(Token& token);
  size_t find_raw_end(size_t from) const;
  size_t find_script_end(size_t from) const;
  bool is_end_tag_at(size_t at, std::string_view name) const;
  std::string_view lower(std::string_view text);
  std::string_view without_nul(std::string_view text);

  std::string_view source_;
  Arena& arena_;
  size_t position_ = 0;
  State state_ = State::data;
  std::string_view raw_end_;
  bool cdata_ = false;
};

}  // namespace llmkit::text
