// SentencePiece's compiled normalisation rules: a trie from character sequences to their replacements (a darts-clone
// double array and the replacements behind it). Any bytes are accepted: every index is checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/character_cuts.h"

namespace llmkit::tokenizer {

class Charsmap {
 public:
  Charsmap() = default;
  // Throws Error where the sizes do not fit.
  explicit Charsmap(std::string_view blob);

  bool empty() const { return units_.empty(); }
  // Whether no rule begins at p < end: most places, without a walk.
  bool plain(const char* p, const char* end) const {
    auto c = static_cast<unsigned char>(*p);
    if (units_.empty()) return true;
    if (alone_[c]) return false;
    if (p + 1 == end) return true;
    if (end - p >= 3 && CharacterCuts::is_wide(p)) return plain(CharacterCuts::code_of(p));
    uint32_t pair = uint32_t{c} << 8 | static_cast<unsigned char>(p[1]);
    return !(pairs_[pair / 64] >> (pair % 64) & 1);
  }
  // The same of a character of three bytes.
  bool plain(uint32_t wide_code) const { return wide_.empty() || wide_.data()[wide_code] == 0; }
  struct Rule {
    size_t length;  // bytes it replaces
    std::string_view replacement;
  };
  // The longest rule for a prefix of [p, end).
  std::optional<Rule> longest(const char* p, const char* end) const {
    if (!units_.empty() && end - p >= 3 && CharacterCuts::is_wide(p)) {
      uint16_t rule = wide_[CharacterCuts::code_of(p)];
      if (rule == 0) return {};
      if (rule != kWalk) {
        Placed place = wide_rules_[rule - 1u];
        return Rule{3, std::string_view(replacements_).substr(place.at, place.size)};
      }
    }
    return walk(p, end);
  }

 private:
  struct Placed {  // among the replacements
    size_t at, size;
  };
  std::optional<Rule> walk(const char* p, const char* end) const;
  void find_wide_rules(uint32_t first, uint32_t second, uint32_t node);
  // The unit that `byte` leads to from the children at `children`, or -1.
  int64_t step(uint32_t children, uint32_t byte) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
  bool alone_[256] = {};         // a rule for this byte alone
  std::vector<uint64_t> pairs_;  // a bit for each two bytes: whether rules begin with them
  // For each character of three bytes: 0 if no rule begins with it, kWalk if one does, or 1 + the index of the only
  // one.
  static constexpr uint16_t kWalk = UINT16_MAX;
  std::vector<uint16_t> wide_;
  std::vector<Placed> wide_rules_;
};

std::string encode_base64(std::string_view bytes);
std::optional<std::string> decode_base64(std::string_view text);  // nothing where it is no base64

}  // namespace llmkit::tokenizer
