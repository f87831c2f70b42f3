// nmt_nfkc (Kudo and Richardson, SentencePiece, 2018): each character becomes its form KC, each sequence that is a
// decomposition, with any characters that decompose to its members, becomes the composed one; control characters
// vanish and some white space becomes a space. Rules that shorter ones amount to are left out.
#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "text/utf8.h"
#include "tokenizer/charsmap_rules.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/unicode_normal.h"

namespace llmkit::tokenizer {
namespace {

using Chars = std::u32string;
using Rule = std::pair<Chars, Chars>;
using CharsRules = std::unordered_map<Chars, Chars>;

std::string utf8(const Chars& chars) {
  std::string out;
  for (char32_t c : chars) text::append_utf8(out, c);
  return out;
}

Chars composed(const Chars& decomposed) {
  Chars out;
  size_t starter = 0;
  int last = -1;  // class of what stands behind the starter
  for (char32_t c : decomposed) {
    int combining = combining_class(c);
    if (!out.empty() && last < combining) {
      if (uint32_t joined = compose(out[starter], c)) {
        out[starter] = joined;
        continue;
      }
    }
    if (combining == 0) starter = out.size();
    last = combining == 0 ? -1 : combining;
    out.push_back(c);
  }
  return out;
}

// What the rules of up to `longest` characters make of a text.
Chars apply(const CharsRules& rules, const Chars& from, size_t longest) {
  Chars out;
  for (size_t at = 0; at < from.size();) {
    size_t size = std::min(longest, from.size() - at);
    auto rule = rules.end();
    for (; size > 0 && rule == rules.end(); --size) rule = rules.find(from.substr(at, size));
    if (rule == rules.end()) {
      out.push_back(from[at++]);
    } else {
      out += rule->second;
      at += rule->first.size();
    }
  }
  return out;
}

// Of characters alone and of sequences.
struct NfkcRules {
  CharsRules single;
  std::vector<Rule> sequences;
};

NfkcRules nfkc_rules() {
  NfkcRules rules;
  std::unordered_map<char32_t, Chars> origins;  // of a character: the others that decompose to it
  std::set<Chars> decompositions;
  for (char32_t c = 1; c <= 0x10FFFF; ++c) {
    if (c == 0xD800) c = 0xE000;
    if (!(normal_flags(c) & (kChangesNfkc | kChangesNfkd))) continue;
    uint32_t parts[18];
    size_t count = decompose(c, true, parts);
    Chars apart(parts, parts + count), whole = composed(apart);
    if (whole != Chars(1, c)) rules.single[Chars(1, c)] = whole;
    if (count == 1)
      origins[apart[0]] += c;
    else
      decompositions.insert(apart);
  }
  for (auto& apart : decompositions) {
    Chars whole = composed(apart);
    if (whole == apart) continue;
    std::vector<Chars> spellings(1);
    for (char32_t c : apart) {
      std::vector<Chars> longer;
      for (auto& spelling : spellings)
        for (char32_t other : c + origins[c]) longer.push_back(spelling + other);
      spellings = std::move(longer);
    }
    for (auto& spelling : spellings)
      if (spelling != whole) rules.sequences.emplace_back(spelling, whole);
  }
  return rules;
}

}  // namespace

CharsmapRules nmt_nfkc_rules() {
  auto [rules, sequences] = nfkc_rules();
  for (char32_t c :
       {0x09, 0x0A, 0x0C, 0x0D, 0x061C, 0x1680, 0x200B, 0x200C, 0x200E, 0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD})
    rules[Chars(1, c)] = U" ";
  for (char32_t c = 1; c <= 0x9F; ++c)
    if (c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F)
      rules[Chars(1, c)] = U"";
  rules.erase(U"\uFF5E");  // the wide tilde is another sign than "~" in Japanese
  // Shorter rules first, to see which longer ones say something new.
  std::stable_sort(sequences.begin(), sequences.end(),
                   [](const Rule& a, const Rule& b) { return a.first.size() < b.first.size(); });
  for (auto& [from, to] : sequences)
    if (apply(rules, from, from.size() - 1) != to) rules.emplace(from, to);
  CharsmapRules out;
  for (auto& [from, to] : rules) out.emplace_back(utf8(from), utf8(to));
  std::sort(out.begin(), out.end());
  return out;
}

const std::string& nmt_nfkc_charsmap() {
  static const std::string blob = compile_charsmap(nmt_nfkc_rules());
  return blob;
}

}  // namespace llmkit::tokenizer
