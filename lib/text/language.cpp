#include "text/language.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace llmkit::text {
namespace {

constexpr double kUsualCover = 0.2;  // function words among the words of running text

struct Source {
  std::string_view code;
  Script script;
  std::string_view letters, words;
};

constexpr Source kSources[] = {
#define LLMKIT_LANGUAGE(code, script, letters, words) {code, Script::script, letters, words},
#include "text/language_words.def"
#undef LLMKIT_LANGUAGE
};
constexpr size_t kLanguages = std::size(kSources);

// Scripts that one living language owns on the web.
struct ScriptOwner {
  Script script;
  std::string_view code;
};
constexpr ScriptOwner kOwners[] = {
    {Script::greek, "el"},    {Script::hebrew, "he"},    {Script::devanagari, "hi"}, {Script::bengali, "bn"},
    {Script::gurmukhi, "pa"}, {Script::gujarati, "gu"},  {Script::tamil, "ta"},      {Script::telugu, "te"},
    {Script::kannada, "kn"},  {Script::malayalam, "ml"}, {Script::sinhala, "si"},    {Script::thai, "th"},
    {Script::lao, "lo"},      {Script::myanmar, "my"},   {Script::khmer, "km"},      {Script::tibetan, "bo"},
    {Script::georgian, "ka"}, {Script::armenian, "hy"},  {Script::ethiopic, "am"},   {Script::hangul, "ko"}};

struct Vote {
  uint8_t language;
  float weight;
};

// Word → the languages that list it, and letter → the same; rarer among languages counts more.
struct Tables {
  std::unordered_map<std::string_view, std::vector<Vote>> words;
  std::unordered_map<char32_t, std::vector<Vote>> letters;
  std::vector<std::vector<std::string_view>> lists{kLanguages};
  std::vector<std::string_view> codes;

  Tables() {
    for (size_t i = 0; i < kLanguages; ++i) {
      const Source& s = kSources[i];
      for (size_t at = 0; at < s.words.size();) {
        size_t end = std::min(s.words.find(' ', at), s.words.size());
        std::string_view word = s.words.substr(at, end - at);
        at = end + 1;
        lists[i].push_back(word);
        add(words[word], i);
      }
      for (size_t at = 0; at < s.letters.size();) add(letters[decode_utf8(s.letters, at)], i);
      codes.push_back(s.code);
    }
    for (auto* table : {&words}) weigh(*table, 1.0f);
    weigh(letters, 0.35f);
    for (const ScriptOwner& owner : kOwners)
      if (std::find(codes.begin(), codes.end(), owner.code) == codes.end()) codes.push_back(owner.code);
    codes.push_back("zh");
    codes.push_back("ja");
    std::sort(codes.begin(), codes.end());
  }

  static void add(std::vector<Vote>& votes, size_t language) {
    for (const Vote& v : votes)
      if (v.language == language) return;
    votes.push_back({static_cast<uint8_t>(language), 1});
  }
  template <class Map>
  static void weigh(Map& map, float scale) {
    for (auto& [key, votes] : map)
      for (Vote& v : votes) v.weight = scale / std::sqrt(static_cast<float>(votes.size()));
  }
};

const Tables& tables() {
  static const Tables kTables;
  return kTables;
}

struct Counts {
  std::array<size_t, static_cast<size_t>(Script::count)> scripts{};
  size_t of(Script s) const { return scripts[static_cast<size_t>(s)]; }
};

LanguageGuess by_words(std::string_view text, Script script, double share) {
  const Tables& t = tables();
  std::string composed;
  if (!is_normalized(text, Form::nfc)) text = composed = normalize(text, Form::nfc);
  std::array<double, kLanguages> score{}, listed{};
  size_t words = 0;
  Word word;
  std::string lower;
  for (size_t at = 0; next_word(text, at, word);) {
    if (word.kind != WordKind::word) continue;
    ++words;
    lower = to_lower(word.text);
    if (auto found = t.words.find(lower); found != t.words.end())
      for (const Vote& v : found->second) {
        score[v.language] += v.weight;
        ++listed[v.language];
      }
    if (lower.size() == word.length) continue;  // ASCII
    for (size_t i = 0; i < lower.size();) {
      char32_t c = decode_utf8(lower, i);
      if (c < 0x80) continue;
      if (auto found = t.letters.find(c); found != t.letters.end())
        for (const Vote& v : found->second) score[v.language] += v.weight;
    }
  }
  if (words == 0) return {};
  size_t best = kLanguages;
  double total = 0;
  for (size_t i = 0; i < kLanguages; ++i) {
    if (kSources[i].script != script) continue;
    total += std::pow(score[i], 4);
    if (best == kLanguages || score[i] > score[best]) best = i;
  }
  if (best == kLanguages || score[best] == 0) return {};
  // How much of the text the winner explains (running text has a function word every third word or so), and how far it
  // stands before the others.
  double cover = std::min(1.0, listed[best] / (kUsualCover * static_cast<double>(words)));
  double margin = std::pow(score[best], 4) / total;
  return {kSources[best].code, share * cover * margin};
}

}  // namespace

LanguageGuess identify_language(std::string_view text, size_t max_bytes) {
  text = utf8_prefix(text, max_bytes);
  Counts counts;
  size_t letters = 0;
  for (size_t at = 0; at < text.size();) {
    Script s = script_of(decode_utf8(text, at));
    if (s == Script::other) continue;
    ++counts.scripts[static_cast<size_t>(s)];
    ++letters;
  }
  if (letters == 0) return {};
  // Han and Kana characters carry about three Latin letters' worth of text.
  size_t kana = counts.of(Script::hiragana) + counts.of(Script::katakana), han = counts.of(Script::han);
  size_t east = 3 * (kana + han);
  size_t others = letters - kana - han;
  if (east > others) {
    double share = static_cast<double>(east) / static_cast<double>(east + others);
    return {kana * 20 > kana + han ? "ja" : "zh", share};
  }
  auto top =
      static_cast<Script>(std::max_element(counts.scripts.begin() + 1, counts.scripts.end()) - counts.scripts.begin());
  double share = static_cast<double>(counts.of(top)) / static_cast<double>(letters + 2 * (kana + han));
  for (const ScriptOwner& owner : kOwners)
    if (owner.script == top) return {owner.code, share};
  return by_words(text, top, share);
}

std::span<const std::string_view> stop_words(std::string_view code) {
  for (size_t i = 0; i < kLanguages; ++i)
    if (kSources[i].code == code) return tables().lists[i];
  return {};
}

std::span<const std::string_view> known_languages() {
  return tables().codes;
}

}  // namespace llmkit::text
