#include "tokenizer/unigram_corpus.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "tokenizer/unicode_class.h"
#include "tokenizer/unicode_script.h"

namespace llmkit::tokenizer {
namespace {

constexpr char32_t kSpaceMark = 0x2581, kUnknownMark = 0x2585, kTab = '\t';
constexpr size_t kPadding = 64;  // zeros after the text, so that readers need no end

struct Word {
  std::string_view bytes;  // without spaces around
  uint64_t hash = 0, inside = 0, last = 0;
};

// Pieces that differ only in the space around them become one word.
std::vector<Word> merge_pieces(std::span<const CountedWord> pieces) {
  std::vector<Word> words;
  words.reserve(pieces.size());
  size_t slots = 64;
  while (slots < pieces.size() * 2) slots *= 2;
  std::vector<uint32_t> table(slots, UINT32_MAX);
  for (auto& piece : pieces) {
    std::string_view bytes = piece.bytes;
    bool last = !bytes.empty() && bytes.back() == '\n';
    if (last) bytes.remove_suffix(1);
    while (!bytes.empty() && bytes.front() == ' ') bytes.remove_prefix(1);
    while (!bytes.empty() && bytes.back() == ' ') bytes.remove_suffix(1);
    if (bytes.empty()) continue;
    uint64_t hash = xxh3_64(bytes);
    size_t i = hash & (slots - 1);
    while (table[i] != UINT32_MAX && (words[table[i]].hash != hash || words[table[i]].bytes != bytes))
      i = (i + 1) & (slots - 1);
    if (table[i] == UINT32_MAX) {
      table[i] = static_cast<uint32_t>(words.size());
      words.push_back({bytes, hash});
    }
    (last ? words[table[i]].last : words[table[i]].inside) += piece.count;
  }
  return words;
}

template <class F>
void for_characters(std::string_view bytes, F&& f) {
  f(kSpaceMark);
  const char *p = bytes.data(), *end = p + bytes.size();
  while (p < end) {
    Utf8Char c = decode_utf8(p, end);
    f(c.code_point == 0xFFFFFFFF ? char32_t{0xFFFD} : static_cast<char32_t>(c.code_point));
    p += c.length;
  }
}

struct Alphabet {
  std::unordered_map<char32_t, uint16_t> number;
  uint16_t ascii[128] = {};
};

Alphabet choose_alphabet(UnigramCorpus& corpus, const std::vector<Word>& words, double coverage, bool tabs) {
  std::vector<uint64_t> low(0x3000);
  std::unordered_map<char32_t, uint64_t> high;
  uint64_t all = 0;
  for (auto& word : words)
    for_characters(word.bytes, [&](char32_t c) {
      uint64_t count = word.inside + word.last;
      all += count;
      if (c < low.size())
        low[c] += count;
      else
        high[c] += count;
    });
  std::vector<std::pair<uint64_t, char32_t>> by_count;
  for (char32_t c = 0; c < low.size(); ++c)
    if (low[c] && c != 0 && c != kUnknownMark) by_count.push_back({low[c], c});
  for (auto& [c, count] : high) by_count.push_back({count, c});
  std::sort(by_count.begin(), by_count.end(),
            [](auto& a, auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  std::vector<std::pair<uint64_t, char32_t>> chosen;
  uint64_t covered = 0;
  for (auto& [count, c] : by_count) {
    if (static_cast<float>(static_cast<double>(covered) / static_cast<double>(all)) >= static_cast<float>(coverage))
      break;
    covered += count;
    if (tabs || c != kTab) chosen.push_back({count, c});
  }
  if (chosen.size() > 65'000)
    throw Error(ErrorParts{"too many different characters",
                           {},
                           "at most 65,000",
                           std::to_string(chosen.size()),
                           "lower --character-coverage, or use --byte-fallback with it"});
  std::vector<std::pair<char32_t, uint64_t>> sorted{{0, 0}, {kUnknownMark, 0}};
  for (auto& [count, c] : chosen) sorted.push_back({c, count});
  std::sort(sorted.begin() + 1, sorted.end());
  Alphabet alphabet;
  for (auto& [c, count] : sorted) {
    auto number = static_cast<uint16_t>(corpus.characters.size());
    alphabet.number[c] = number;
    corpus.characters.push_back(c);
    corpus.counts.push_back(count);
  }
  corpus.space = alphabet.number.count(kSpaceMark) ? alphabet.number[kSpaceMark] : 0;
  corpus.unknown = alphabet.number[kUnknownMark];
  for (auto& [count, c] : chosen) corpus.required.push_back(alphabet.number[c]);
  for (char32_t c = 1; c < 128; ++c) alphabet.ascii[c] = alphabet.number.count(c) ? alphabet.number[c] : corpus.unknown;
  alphabet.ascii[0] = corpus.unknown;
  return alphabet;
}

}  // namespace

UnigramCorpus code_words(std::span<const CountedWord> pieces, double coverage, bool tabs) {
  UnigramCorpus corpus;
  std::vector<Word> words = merge_pieces(pieces);
  if (words.empty()) return corpus;
  Alphabet alphabet = choose_alphabet(corpus, words, coverage, tabs);
  size_t size = 0;
  for (auto& word : words) size += (word.bytes.size() + 2) * ((word.inside > 0) + (word.last > 0));
  if (size >= UINT32_MAX - kPadding)
    throw Error(
        ErrorParts{"too many distinct words for Unigram", {}, "less than 4 GB of them", {}, "train on a sample"});
  corpus.entries.reserve(words.size());
  for (auto& word : words) {
    auto begin = static_cast<uint32_t>(corpus.text.size());
    for_characters(word.bytes, [&](char32_t c) {
      if (c < 128) {
        corpus.text.push_back(alphabet.ascii[c]);
        return;
      }
      auto found = alphabet.number.find(c);
      corpus.text.push_back(found == alphabet.number.end() ? corpus.unknown : found->second);
    });
    auto length = static_cast<uint32_t>(corpus.text.size() - begin);
    corpus.text.push_back(word.inside ? corpus.space : UnigramCorpus::kLineEnd);
    corpus.entries.push_back({begin, length, word.inside ? word.inside : word.last, false});
    if (!word.inside || !word.last) continue;
    auto again = static_cast<uint32_t>(corpus.text.size());
    for (uint32_t i = 0; i < length; ++i) corpus.text.push_back(corpus.text[begin + i]);
    corpus.text.push_back(UnigramCorpus::kLineEnd);
    corpus.entries.push_back({again, length, word.last, true});
  }
  corpus.text.resize(corpus.text.size() + kPadding);
  return corpus;
}

std::string UnigramCorpus::spell(std::span<const uint16_t> piece) const {
  std::string out;
  for (uint16_t number : piece) {
    auto c = static_cast<uint32_t>(characters[number]);
    auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put(0xC0 | c >> 6), put(0x80 | (c & 63));
    } else if (c < 0x10000) {
      put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 63)), put(0x80 | (c & 63));
    } else {
      put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 63)), put(0x80 | (c >> 6 & 63)), put(0x80 | (c & 63));
    }
  }
  return out;
}

int script_number(char32_t code_point) {
  static const int hiragana = script_named("Hiragana"), katakana = script_named("Katakana"), han = script_named("Han"),
                   inherited = script_named("Inherited");
  int script = script_of(code_point);
  if (script == hiragana || script == katakana || code_point == 0x30FC) return han;
  return script == inherited ? kInheritedScript : script;
}

}  // namespace llmkit::tokenizer
