// Gopher's document quality rules (Rae et al., "Scaling language models: methods, analysis & insights from training
// Gopher", 2021, appendix A.1.1), counted as datatrove counts them. For a language other than English the stop words
// are that language's; where we have none, and in unspaced scripts, the stop-word and word-length rules are left out.
#include <algorithm>
#include <array>

#include "clean/filter.h"
#include "text/language.h"

namespace llmkit::clean {
namespace {

constexpr std::array<std::string_view, 8> kEnglish = {"the", "be", "to", "of", "and", "that", "have", "with"};

size_t count_of(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++count;
  return count;
}

class GopherQuality : public Filter {
 public:
  explicit GopherQuality(const Values& v)
      : min_words_(v.real("min-words")),
        max_words_(v.real("max-words")),
        min_length_(v.real("min-word-length")),
        max_length_(v.real("max-word-length")),
        max_symbols_(v.real("max-symbol-ratio")),
        max_bullets_(v.real("max-bullet-lines")),
        max_ellipsis_(v.real("max-ellipsis-lines")),
        min_alphabetic_(v.real("min-alphabetic-words")),
        min_stop_words_(v.real("min-stop-words")) {}

  std::optional<Drop> apply(FilterDocument& d) const override {
    const TextStats& s = d.stats();
    double words = s.plain_word_count(), all = s.word_count();
    if (words < min_words_) return Drop{"min-words", words, min_words_};
    if (words > max_words_) return Drop{"max-words", words, max_words_};
    if (!s.unspaced) {
      double length = static_cast<double>(s.word_characters) / words;
      if (length < min_length_) return Drop{"min-word-length", length, min_length_};
      if (length > max_length_) return Drop{"max-word-length", length, max_length_};
    }
    double hashes = static_cast<double>(count_of(d.text, "#")) / all;
    if (hashes > max_symbols_) return Drop{"max-symbol-ratio", hashes, max_symbols_};
    double dots = static_cast<double>(count_of(d.text, "...") + count_of(d.text, "\xE2\x80\xA6")) / all;
    if (dots > max_symbols_) return Drop{"max-symbol-ratio", dots, max_symbols_};
    if (auto drop = line_rules(d.text)) return drop;
    double alphabetic = static_cast<double>(s.alphabetic_words) / static_cast<double>(s.words.size());
    if (alphabetic < min_alphabetic_) return Drop{"min-alphabetic-words", alphabetic, min_alphabetic_};
    return stop_word_rule(d);
  }

 private:
  std::optional<Drop> line_rules(std::string_view text) const {
    std::vector<std::string_view> lines = lines_of(text, true);
    double bullets = 0, ellipses = 0;
    for (std::string_view line : lines) {
      line = text::trim(line);
      bullets += line.starts_with('-') || line.starts_with("\xE2\x80\xA2");
      ellipses += line.ends_with("...") || line.ends_with("\xE2\x80\xA6");
    }
    auto count = static_cast<double>(lines.size());
    if (bullets / count > max_bullets_) return Drop{"max-bullet-lines", bullets / count, max_bullets_};
    if (ellipses / count > max_ellipsis_) return Drop{"max-ellipsis-lines", ellipses / count, max_ellipsis_};
    return {};
  }

  std::optional<Drop> stop_word_rule(const FilterDocument& d) const {
    std::span<const std::string_view> list = kEnglish;
    if (d.language != "en" && d.language != "und") list = text::stop_words(d.language);
    if (min_stop_words_ <= 0 || list.empty() || d.unspaced()) return {};
    double found = 0;
    for (std::string_view stop : list) {
      for (const text::Word& w : d.stats().words) {
        if (w.text != stop) continue;
        if (++found >= min_stop_words_) return {};
        break;
      }
    }
    return Drop{"min-stop-words", found, min_stop_words_};
  }

  double min_words_, max_words_, min_length_, max_length_, max_symbols_, max_bullets_, max_ellipsis_, min_alphabetic_,
      min_stop_words_;
};

}  // namespace

Entry<Filter> gopher_quality_filter() {
  return {{"gopher-quality",
           "word count and length, symbols, bullets, ellipses, letters, stop words",
           "Rae et al. 2021, arXiv 2112.11446",
           {{"min-words", ParamType::real, "50", "fewest words that are not punctuation", 0, 1e9},
            {"max-words", ParamType::real, "100000", "most words that are not punctuation", 0, 1e12},
            {"min-word-length", ParamType::real, "3", "lowest mean length of a word, in characters", 0, 1e6},
            {"max-word-length", ParamType::real, "10", "highest mean length of a word, in characters", 0, 1e6},
            {"max-symbol-ratio", ParamType::real, "0.1", "most '#', and most ellipses, a word", 0, 1e6},
            {"max-bullet-lines", ParamType::real, "0.9", "largest share of lines that start with a bullet", 0, 1},
            {"max-ellipsis-lines", ParamType::real, "0.3", "largest share of lines that end with an ellipsis", 0, 1},
            {"min-alphabetic-words", ParamType::real, "0.8", "smallest share of words with a letter", 0, 1},
            {"min-stop-words", ParamType::real, "2", "fewest different stop words", 0, 8}}},
          [](const Values& v) -> std::unique_ptr<Filter> { return std::make_unique<GopherQuality>(v); }};
}

}  // namespace llmkit::clean
