// FineWeb's three custom rules and its list rule (Penedo et al., "The FineWeb datasets", 2024, section 3.4). For
// languages other than English as in FineWeb-2 (2025): no short-line rule, and 0.1 instead of 0.01 for repeated lines.
#include <algorithm>

#include "clean/filter.h"
#include "clean/sentences.h"
#include "text/utf8.h"

namespace llmkit::clean {
namespace {

class FineWeb : public Filter {
 public:
  explicit FineWeb(const Values& v)
      : punctuation_(v.real("min-line-punctuation")),
        short_share_(v.real("max-short-lines")),
        short_length_(v.real("short-line")),
        repeated_(v.real("max-repeated-characters")),
        repeated_other_(v.real("max-repeated-characters-other")),
        newlines_(v.real("max-newline-ratio")) {}

  std::optional<Drop> apply(FilterDocument& d) const override {
    bool english = d.language == "en" || d.language == "und";
    std::vector<std::string_view> lines = lines_of(d.text, false);
    if (lines.empty()) return Drop{"empty", 0, 1};
    auto count = static_cast<double>(lines.size());
    auto share = [&](auto&& test) {
      return static_cast<double>(std::count_if(lines.begin(), lines.end(), test)) / count;
    };
    double ends = share([](std::string_view l) { return ends_in_terminal_punctuation(l); });
    if (ends < punctuation_) return Drop{"min-line-punctuation", ends, punctuation_};
    if (english) {
      double brief =
          share([&](std::string_view l) { return static_cast<double>(text::count_code_points(l)) <= short_length_; });
      if (brief > short_share_) return Drop{"max-short-lines", brief, short_share_};
    }
    auto newlines = static_cast<double>(std::count(d.text.begin(), d.text.end(), '\n'));
    double characters = static_cast<double>(d.stats().characters) - newlines;
    double repeated = static_cast<double>(find_duplicates(lines).characters) / characters;
    double limit = english ? repeated_ : repeated_other_;
    if (repeated > limit)
      return Drop{english ? "max-repeated-characters" : "max-repeated-characters-other", repeated, limit};
    double a_word = newlines / std::max(1.0, d.stats().word_count());
    if (a_word > newlines_) return Drop{"max-newline-ratio", a_word, newlines_};
    return {};
  }

 private:
  double punctuation_, short_share_, short_length_, repeated_, repeated_other_, newlines_;
};

}  // namespace

Entry<Filter> fineweb_filter() {
  return {{"fineweb",
           "line ends, short lines, repeated lines, lists",
           "Penedo et al. 2024, arXiv 2406.17557",
           {{"min-line-punctuation", ParamType::real, "0.12", "smallest share of lines that end in punctuation", 0, 1},
            {"max-short-lines", ParamType::real, "0.67", "largest share of short lines (English)", 0, 1},
            {"short-line", ParamType::real, "30", "characters that a short line has at most", 0, 1e6},
            {"max-repeated-characters", ParamType::real, "0.01",
             "largest share of characters in repeated lines (English)", 0, 1},
            {"max-repeated-characters-other", ParamType::real, "0.1", "the same for other languages", 0, 1},
            {"max-newline-ratio", ParamType::real, "0.3", "most newlines a word", 0, 1e6}}},
          [](const Values& v) -> std::unique_ptr<Filter> { return std::make_unique<FineWeb>(v); }};
}

}  // namespace llmkit::clean
