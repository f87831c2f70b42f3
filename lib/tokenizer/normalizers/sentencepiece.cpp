// SentencePiece's normalizer as one step: compiled character rules, runs of spaces to one, the mark "▁" for a space and
// one in front (Kudo and Richardson, "SentencePiece: a simple and language independent subword tokenizer", 2018). Bytes
// that are not UTF-8 stay as they are, where SentencePiece puts U+FFFD: byte fallback can then give them back.
#include "tokenizer/charsmap.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

struct Rules {
  bool dummy_prefix, remove_extra, escape, as_suffix;
};

class SentencePieceNormalizer : public Normalizer {
 public:
  SentencePieceNormalizer(Charsmap map, Rules rules) : map_(std::move(map)), rules_(rules) {}

  void normalize(std::string_view text, TextStart start, std::string& out,
                 std::vector<size_t>* origins) const override {
    const char *begin = text.data(), *p = begin, *end = begin + text.size();
    size_t from = out.size(), trailing = out.size();  // trailing: where the spaces at the end begin
    std::string_view mark = rules_.escape ? kSpaceMark : std::string_view(" ");
    auto put = [&](std::string_view bytes, size_t at) {
      out += bytes;
      if (origins) origins->insert(origins->end(), bytes.size(), at);
    };
    bool at_start = start != TextStart::inside;
    bool after_space = rules_.remove_extra && at_start, prefixed = false;
    // The prefix comes before the first character that is kept; a text of spaces alone becomes nothing.
    auto prefix = [&](size_t at) {
      if (prefixed) return;
      prefixed = true;
      if (rules_.dummy_prefix && !rules_.as_suffix && at_start) put(mark, at);
    };
    if (!rules_.remove_extra && !text.empty()) prefix(0);
    while (p < end) {
      auto at = static_cast<size_t>(p - begin);
      // Most of a text is runs of characters that stay as they are.
      const char* q = p;
      while (q < end && *q != ' ' && map_.plain(q, end))
        q += static_cast<signed char>(*q) >= 0 ? 1 : decode_utf8(q, end).length;
      if (q > p) {
        prefix(at);
        out.append(p, q);
        if (origins)
          for (const char* c = p; c < q; ++c) origins->push_back(static_cast<size_t>(c - begin));
        trailing = out.size();
        after_space = false;
        p = q;
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
    if (rules_.remove_extra && trailing > from) {
      if (origins) origins->resize(origins->size() - (out.size() - trailing));
      out.resize(trailing);
    }
    if (rules_.as_suffix && rules_.dummy_prefix && out.size() > from) put(mark, text.size());
  }

  std::string hugging_face_json() const override { return {}; }

 private:
  Charsmap map_;
  Rules rules_;
};

}  // namespace

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
        Charsmap(*blob),
        Rules{v.boolean("dummy-prefix"), v.boolean("remove-extra"), v.boolean("escape"), v.boolean("suffix")});
  };
  return entry;
}

}  // namespace llmkit::tokenizer
