// Quality filters: each looks at one document and keeps it, drops it with a reason, or takes lines out of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.h"
#include "clean/text_stats.h"

namespace llmkit::clean {

// Why a document was dropped: the rule (a parameter of the filter), what was measured, and the limit it passed.
struct Drop {
  std::string_view rule;
  double value = 0;
  double threshold = 0;
};

class FilterDocument {
 public:
  std::string text;
  std::string url;
  std::string language = "und";  // ISO 639-1
  double language_score = 0;

  // Words, lines and the like of the text as it is now; computed once.
  const TextStats& stats() const {
    if (!stats_) stats_.emplace(text);
    return *stats_;
  }
  void replace_text(std::string changed) {
    text = std::move(changed);
    stats_.reset();
  }
  bool unspaced() const { return stats().unspaced; }

 private:
  mutable std::optional<TextStats> stats_;
};

// One filter with its parameters; const, so that many threads can share it.
class Filter {
 public:
  virtual ~Filter() = default;
  virtual std::optional<Drop> apply(FilterDocument& document) const = 0;
};

const Registry<Filter>& filters();  // filters.def

// A named, versioned list of filter specs; what a recipe of a published name does never changes.
struct Recipe {
  std::string_view name, summary;
  std::string_view specs;  // separated by ';'
};
const std::vector<Recipe>& recipes();  // recipes.def
// Recipes as a family for help pages: the note of each is its list of filters.
struct RecipeFamily {
  std::vector<Descriptor> descriptors() const;
};

// Filters in order; the first that drops a document ends it.
class FilterChain {
 public:
  // `recipe` may be "none"; `extra` specs replace a recipe's filter of the same name in place, or come after it.
  FilterChain(std::string_view recipe, const std::vector<std::string>& extra);

  struct Verdict {
    size_t filter;  // index into specs()
    Drop drop;
  };
  std::optional<Verdict> apply(FilterDocument& document) const;
  const std::vector<std::string>& specs() const { return specs_; }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> specs_, names_;
  std::vector<std::unique_ptr<Filter>> filters_;
};

}  // namespace llmkit::clean
