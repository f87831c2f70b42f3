// SentencePiece's compiled normalisation rules: a trie from character sequences to their replacements (a darts-clone
// double array and the replacements behind it). Any bytes are accepted: every index is checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmkit::tokenizer {

class Charsmap {
 public:
  Charsmap() = default;
  // Throws Error where the sizes do not fit.
  explicit Charsmap(std::string_view blob);

  bool empty() const { return units_.empty(); }
  struct Rule {
    size_t length;  // bytes it replaces
    std::string_view replacement;
  };
  // The longest rule for a prefix of [p, end).
  std::optional<Rule> longest(const char* p, const char* end) const;

 private:
  std::vector<uint32_t> units_;
  std::string replacements_;
  bool ascii_is_plain_[128] = {};  // no rule starts there
 public:
  bool plain(char c) const { return static_cast<signed char>(c) >= 0 && ascii_is_plain_[static_cast<size_t>(c)]; }
};

std::string encode_base64(std::string_view bytes);
std::optional<std::string> decode_base64(std::string_view text);  // nothing where it is no base64

}  // namespace llmkit::tokenizer
