// C4's line and document rules (Raffel et al., "Exploring the limits of transfer learning with a unified text-to-text
// transformer", 2020, section 2.2), as datatrove applies them. Sentences are counted by our own splitter, not by Punkt.
#include <algorithm>
#include <array>

#include "clean/filter.h"
#include "clean/sentences.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace llmkit::clean {
namespace {

constexpr std::array<std::string_view, 6> kPolicy = {"terms of use", "privacy policy", "cookie policy",
                                                     "uses cookies", "use of cookies", "use cookies"};

// "[12]", "[]", "[edit]" and "[citation needed]" are taken out.
std::string without_citations(std::string_view line) {
  std::string out;
  for (size_t at = 0; at < line.size();) {
    if (line[at] == '[') {
      size_t end = at + 1;
      while (end < line.size() && line[end] >= '0' && line[end] <= '9') ++end;
      if (end < line.size() && line[end] == ']') {
        at = end + 1;
        continue;
      }
      std::string_view rest = line.substr(at);
      size_t skip = rest.starts_with("[edit]") ? 6 : rest.starts_with("[citation needed]") ? 17 : 0;
      if (skip > 0) {
        at += skip;
        continue;
      }
    }
    out += line[at++];
  }
  return out;
}

bool ends_well(std::string_view line) {
  if (line.ends_with("...")) return false;
  if (line.ends_with('.') || line.ends_with('?') || line.ends_with('!') || line.ends_with('"') || line.ends_with('\''))
    return true;
  return line.ends_with("\xE3\x80\x82") || line.ends_with("\xEF\xBC\x81") || line.ends_with("\xEF\xBC\x9F") ||
         line.ends_with("\xE2\x80\x9D");
}

// Words between white space; in a line of an unspaced script, two characters are a word.
struct LineWords {
  double count = 0;
  size_t longest = 0;  // code points
};

LineWords measure(std::string_view line) {
  LineWords out;
  size_t length = 0, unspaced = 0;
  for (size_t at = 0; at < line.size();) {
    char32_t c = text::decode_utf8(line, at);
    if (c == ' ' || c == '\t' || text::is_space(c)) {
      out.count += length > 0;
      length = 0;
      continue;
    }
    unspaced += text::is_unspaced(c);
    out.longest = std::max(out.longest, ++length - std::min(length, unspaced));
  }
  out.count += length > 0;
  out.count = std::max(out.count, static_cast<double>(unspaced) / 2);
  return out;
}

class C4 : public Filter {
 public:
  explicit C4(const Values& v)
      : terminal_(v.boolean("terminal-punctuation")),
        citations_(v.boolean("citations")),
        lorem_(v.boolean("lorem-ipsum")),
        javascript_(v.boolean("javascript")),
        curly_(v.boolean("curly-bracket")),
        policy_(v.boolean("policy")),
        min_sentences_(v.real("min-sentences")),
        min_line_words_(v.real("min-line-words")),
        max_word_(v.real("max-word-length")) {}

  std::optional<Drop> apply(FilterDocument& d) const override {
    std::string kept;
    size_t sentences = 0;
    for (std::string_view raw : lines_of(d.text, false)) {
      std::string line(text::trim(raw));
      if (static_cast<double>(measure(line).longest) > max_word_) continue;
      if (citations_ && line.find('[') != std::string::npos) line = without_citations(line);
      if (terminal_ && !ends_well(line)) continue;
      if (measure(line).count < min_line_words_) continue;
      std::string lower = text::to_lower(line);
      if (lorem_ && lower.find("lorem ipsum") != std::string::npos) return Drop{"lorem-ipsum", 1, 0};
      if (javascript_ && lower.find("javascript") != std::string::npos) continue;
      if (curly_ && line.find('{') != std::string::npos) return Drop{"curly-bracket", 1, 0};
      if (policy_ && std::any_of(kPolicy.begin(), kPolicy.end(),
                                 [&](std::string_view p) { return lower.find(p) != std::string::npos; }))
        continue;
      sentences += count_sentences(line);
      if (!kept.empty()) kept += '\n';
      kept += line;
    }
    if (static_cast<double>(sentences) < min_sentences_)
      return Drop{"min-sentences", static_cast<double>(sentences), min_sentences_};
    if (kept != text::trim(d.text)) d.replace_text(std::move(kept));
    return {};
  }

 private:
  bool terminal_, citations_, lorem_, javascript_, curly_, policy_;
  double min_sentences_, min_line_words_, max_word_;
};

}  // namespace

Entry<Filter> c4_filter() {
  return {{"c4",
           "takes out bad lines; drops lorem ipsum, curly brackets, too few sentences",
           "Raffel et al. 2020, arXiv 1910.10683",
           {{"terminal-punctuation", ParamType::boolean, "true", "take out lines that do not end in . ? ! or a quote"},
            {"citations", ParamType::boolean, "true", "take out [1], [edit], [citation needed]"},
            {"lorem-ipsum", ParamType::boolean, "true", "drop documents that hold it"},
            {"javascript", ParamType::boolean, "true", "take out lines that name it"},
            {"curly-bracket", ParamType::boolean, "true", "drop documents with a '{'"},
            {"policy", ParamType::boolean, "true", "take out lines on cookies, terms and privacy"},
            {"min-sentences", ParamType::real, "5", "fewest sentences left", 0, 1e9},
            {"min-line-words", ParamType::real, "3", "fewest words of a line", 0, 1e9},
            {"max-word-length", ParamType::real, "1000", "longest word of a line, in characters", 1, 1e9}}},
          [](const Values& v) -> std::unique_ptr<Filter> { return std::make_unique<C4>(v); }};
}

}  // namespace llmkit::clean
