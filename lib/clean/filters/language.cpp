// Keeps documents whose language is known well enough (0.65 in RefinedWeb and FineWeb, 0.5 in CCNet), or is in a list.
// The score is text/language.h's, not fastText's: the same number is not the same strictness.
#include "clean/filter.h"

namespace llmkit::clean {
namespace {

class Language : public Filter {
 public:
  explicit Language(const Values& v) : min_score_(v.real("min-score")), languages_(v.text("languages")) {}

  std::optional<Drop> apply(FilterDocument& d) const override {
    if (d.language_score < min_score_) return Drop{"min-score", d.language_score, min_score_};
    if (languages_ == "any") return {};
    for (std::string_view rest = languages_; !rest.empty();) {
      size_t end = std::min(rest.find('+'), rest.size());
      if (rest.substr(0, end) == d.language) return {};
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return Drop{"languages", d.language_score, min_score_};
  }

 private:
  double min_score_;
  std::string languages_;
};

}  // namespace

Entry<Filter> language_filter() {
  return {{"language",
           "keeps languages that are wanted and known well enough",
           "Penedo et al. 2023, arXiv 2306.01116",
           {{"min-score", ParamType::real, "0.65", "lowest score of the guess", 0, 1},
            {"languages", ParamType::text, "any", "codes joined by +, such as en+zh, or any"}}},
          [](const Values& v) -> std::unique_ptr<Filter> { return std::make_unique<Language>(v); }};
}

}  // namespace llmkit::clean
