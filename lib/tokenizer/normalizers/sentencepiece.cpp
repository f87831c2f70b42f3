#include "tokenizer/normalizers/sentencepiece.h"

#include "tokenizer/character_cuts.h"
#include "tokenizer/scanner.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {

SentencePieceNormalizer::SentencePieceNormalizer(Charsmap map, Rules rules) : map_(std::move(map)), rules_(rules) {
  keeps_words_ = rules_.escape && !rules_.as_suffix;
  char pair[2];
  for (char c = '!'; c <= '~'; ++c) {
    pair[0] = c;
    for (int d = 0; d < 128; ++d) {
      pair[1] = static_cast<char>(d);
      keeps_words_ &= map_.plain(pair, pair + 2);
    }
  }
  keeps_ideographs_ = true;
  for (uint32_t c = 0x4E00; c <= 0x9FFF; ++c) keeps_ideographs_ &= map_.plain(c);
  // A white space, with an ASCII character behind it.
  for (int c = 1; c <= ' '; ++c) {
    pair[0] = static_cast<char>(c);
    auto rule = map_.longest(pair, pair + 1);
    bool space = rule ? rule->replacement == " " : c == ' ';
    for (int d = '!'; space && d <= '~'; ++d) {
      pair[1] = static_cast<char>(d);
      auto longer = map_.longest(pair, pair + 2);
      space = !longer || longer->length == 1;
    }
    breaks_[c] = space;
  }
}

void SentencePieceNormalizer::go_on(std::string_view text, Progress& progress, bool by_words, std::string& out,
                                    std::vector<size_t>* origins) const {
  const char *begin = text.data(), *p = begin + progress.at, *end = begin + text.size();
  size_t from = out.size(), trailing = out.size();  // trailing: where the spaces at the end begin
  std::string_view mark = rules_.escape ? kSpaceMark : std::string_view(" ");
  auto put = [&](std::string_view bytes, size_t at) {
    out += bytes;
    if (origins) origins->insert(origins->end(), bytes.size(), at);
  };
  bool at_start = progress.at == 0 && progress.start != TextStart::inside;
  bool after_space = rules_.remove_extra && at_start, prefixed = false;
  // The prefix comes before the first character that is kept; a text of spaces alone becomes nothing.
  auto prefix = [&](size_t at) {
    if (prefixed) return;
    prefixed = true;
    if (rules_.dummy_prefix && !rules_.as_suffix && at_start) put(mark, at);
  };
  if (!rules_.remove_extra && !text.empty()) prefix(0);
  const Scan scan(end);
  while (p < end) {
    auto at = static_cast<size_t>(p - begin);
    // Most of a text is runs of characters that stay as they are.
    const char* q = p;
    while (q < end) {
      if (static_cast<signed char>(*q) >= 0) {
        if (*q == ' ' || !map_.plain(q, end)) break;
        ++q;
      } else if (const char* r = keeps_ideographs_ ? scan.ideographs(q) : q; r > q) {
        q = r;
      } else if (end - q >= 3 && CharacterCuts::is_wide(q)) {
        if (!map_.plain(CharacterCuts::code_of(q))) break;
        q += 3;
      } else {
        if (!map_.plain(q, end)) break;
        q += decode_utf8(q, end).length;
      }
    }
    if (q > p) {
      prefix(at);
      out.append(p, q);
      if (origins)
        for (const char* c = p; c < q; ++c) origins->push_back(static_cast<size_t>(c - begin));
      trailing = out.size();
      after_space = false;
      p = q;
      if (by_words && p < end && is_word(p[-1]) && is_word_break(p, end)) break;
      continue;
    }
    if (*p == ' ' && map_.plain(p, end)) {
      if (!after_space) {
        prefix(at);
        put(mark, at);
        after_space = rules_.remove_extra;
      }
      ++p;
      continue;
    }
    size_t length = 1;
    std::string_view piece(p, 1);
    if (auto rule = map_.longest(p, end)) {
      length = rule->length;
      piece = rule->replacement;
    } else if (*p != ' ') {
      length = decode_utf8(p, end).length;
      piece = {p, length};
    }
    while (after_space && piece.starts_with(' ')) piece.remove_prefix(1);
    for (size_t i = 0; i < piece.size(); ++i) {
      prefix(at);
      if (piece[i] == ' ') {
        put(mark, at);
      } else {
        put(piece.substr(i, 1), at);
        trailing = out.size();
      }
    }
    if (!piece.empty()) after_space = rules_.remove_extra && piece.ends_with(' ');
    p += length;
  }
  progress.at = static_cast<size_t>(p - begin);
  if (p < end) return;
  if (rules_.remove_extra && trailing > from) {
    if (origins) origins->resize(origins->size() - (out.size() - trailing));
    out.resize(trailing);
  }
  if (rules_.as_suffix && rules_.dummy_prefix && out.size() > from) put(mark, text.size());
}

Entry<Normalizer> sentencepiece_normalizer() {
  Entry<Normalizer> entry{{"sentencepiece", "character rules, single spaces, ▁ for a space and one in front",
                           "Kudo and Richardson, SentencePiece, 2018"}};
  entry.params = {{"map", ParamType::text, "", "compiled rules in base64"},
                  {"dummy-prefix", ParamType::boolean, "true", "a space in front"},
                  {"remove-extra", ParamType::boolean, "true", "one space for several, none at the ends"},
                  {"escape", ParamType::boolean, "true", "▁ for a space"},
                  {"suffix", ParamType::boolean, "false", "the space in front goes to the end"}};
  entry.make = [](const Values& v) -> std::unique_ptr<Normalizer> {
    auto blob = decode_base64(v.text("map"));
    if (!blob) throw UsageError("the map of the sentencepiece normalizer is not base64");
    return std::make_unique<SentencePieceNormalizer>(
        Charsmap(*blob), SentencePieceNormalizer::Rules{v.boolean("dummy-prefix"), v.boolean("remove-extra"),
                                                        v.boolean("escape"), v.boolean("suffix")});
  };
  return entry;
}

}  // namespace llmkit::tokenizer
