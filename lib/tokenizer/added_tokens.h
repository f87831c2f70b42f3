// Tokens that are cut out of the text before anything else happens to it: control tokens such as <|im_end|> and words
// added to a vocabulary. Found leftmost first, the longest of those that start there (a byte trie).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace llmkit::tokenizer {

struct AddedToken {
  std::string content;
  int32_t id = -1;
  bool special = true;       // a control token: skipped by decode(skip_special), not found in text that is only text
  bool single_word = false;  // only where no word character touches it
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // and after it
  bool normalized = false;   // looked for after the others
  bool operator==(const AddedToken&) const = default;
};

class AddedTokenMatcher {
 public:
  struct Match {
    size_t begin, end;  // of the text it takes, white space included
    const AddedToken* token;
  };

  AddedTokenMatcher() = default;
  // `tokens` must outlive the matcher; only those with `normalized` as given are looked for.
  AddedTokenMatcher(const std::vector<AddedToken>& tokens, bool normalized);

  // Whether there is a token to look for.
  bool any(bool with_special) const { return ordinary_ || (with_special && !tokens_.empty()); }
  // The next match in text[from, …); token is nullptr where there is none.
  Match next(std::string_view text, size_t from, bool with_special) const;

 private:
  const AddedToken* longest_at(std::string_view text, size_t at) const;

  std::vector<const AddedToken*> tokens_;
  bool ordinary_ = false;  // one that is not special
  bool starts_[256] = {};
  std::map<uint64_t, uint32_t> edges_;   // node << 8 | byte -> node
  std::vector<const AddedToken*> ends_;  // token of each node
};

}  // namespace llmkit::tokenizer
