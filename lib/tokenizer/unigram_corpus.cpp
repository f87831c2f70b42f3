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
    bool last = false;
    std::string_view bytes = word_of_piece(piece.bytes, last);
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

}  // namespace

void UnigramAlphabet::count(std::string_view word, uint64_t times) {
  for_characters(word, [&](char32_t c) {
    all_ += times;
    if (c < low_.size())
      low_[c] += times;
    else
      high_[c] += times;
  });
}

void UnigramAlphabet::choose(UnigramCorpus& corpus, double coverage, bool tabs) {
  std::vector<std::pair<uint64_t, char32_t>> by_count;
  for (char32_t c = 0; c < low_.size(); ++c)
    if (low_[c] && c != 0 && c != kUnknownMark) by_count.push_back({low_[c], c});
  for (auto& [c, count] : high_) by_count.push_back({count, c});
  std::sort(by_count.begin(), by_count.end(),
            [](auto& a, auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  std::vector<std::pair<uint64_t, char32_t>> chosen;
  uint64_t covered = 0;
  for (auto& [count, c] : by_count) {
    if (static_cast<float>(static_cast<double>(covered) / static_cast<double>(all_)) >= static_cast<float>(coverage))
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
  for (auto& [c, count] : sorted) {
    auto number = static_cast<uint16_t>(corpus.characters.size());
    number_[c] = number;
    corpus.characters.push_back(c);
    corpus.counts.push_back(count);
  }
  corpus.space = number_.count(kSpaceMark) ? number_[kSpaceMark] : 0;
  corpus.unknown = unknown_ = number_[kUnknownMark];
  for (auto& [count, c] : chosen) corpus.required.push_back(number_[c]);
  for (char32_t c = 1; c < ascii_.size(); ++c) ascii_[c] = number_.count(c) ? number_[c] : unknown_;
  ascii_[0] = unknown_;
}

void UnigramAlphabet::code(std::string_view word, std::vector<uint16_t>& out) const {
  for_characters(word, [&](char32_t c) {
    if (c < ascii_.size()) {
      out.push_back(ascii_[c]);
      return;
    }
    auto found = number_.find(c);
    out.push_back(found == number_.end() ? unknown_ : found->second);
  });
}

std::string_view word_of_piece(std::string_view piece, bool& last) {
  last = !piece.empty() && piece.back() == '\n';
  if (last) piece.remove_suffix(1);
  while (!piece.empty() && piece.front() == ' ') piece.remove_prefix(1);
  while (!piece.empty() && piece.back() == ' ') piece.remove_suffix(1);
  return piece;
}

UnigramCorpus code_words(std::span<const CountedWord> pieces, double coverage, bool tabs) {
  UnigramCorpus corpus;
  std::vector<Word> words = merge_pieces(pieces);
  if (words.empty()) return corpus;
  UnigramAlphabet alphabet;
  for (auto& word : words) alphabet.count(word.bytes, word.inside + word.last);
  alphabet.choose(corpus, coverage, tabs);
  size_t size = 0;
  for (auto& word : words) size += (word.bytes.size() + 2) * ((word.inside > 0) + (word.last > 0));
  if (size >= UINT32_MAX - kPadding)
    throw Error(
        ErrorParts{"too many distinct words for Unigram", {}, "less than 4 GB of them", {}, "train on a sample"});
  corpus.entries.reserve(words.size());
  for (auto& word : words) {
    auto begin = static_cast<uint32_t>(corpus.text.size());
    alphabet.code(word.bytes, corpus.text);
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
