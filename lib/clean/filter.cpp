#include "clean/filter.h"

#include <algorithm>

namespace llmkit::clean {

#define LLMKIT_FILTER(name) Entry<Filter> name##_filter();
#include "clean/filters.def"
#undef LLMKIT_FILTER

const Registry<Filter>& filters() {
  static const Registry<Filter> registry("filter", {
#define LLMKIT_FILTER(name) name##_filter(),
#include "clean/filters.def"
#undef LLMKIT_FILTER
                                                   });
  return registry;
}

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> kRecipes = {
#define LLMKIT_RECIPE(name, summary, specs) {name, summary, specs},
#include "clean/recipes.def"
#undef LLMKIT_RECIPE
  };
  return kRecipes;
}

std::vector<Descriptor> RecipeFamily::descriptors() const {
  std::vector<Descriptor> out;
  for (const Recipe& r : recipes()) out.push_back({r.name, r.summary, "", {}, r.specs});
  return out;
}

FilterChain::FilterChain(std::string_view recipe, const std::vector<std::string>& extra) {
  if (recipe != "none") {
    auto found = std::find_if(recipes().begin(), recipes().end(), [&](const Recipe& r) { return r.name == recipe; });
    if (found == recipes().end()) {
      std::vector<std::string_view> names = {"none"};
      for (const Recipe& r : recipes()) names.push_back(r.name);
      throw unknown_name("recipe", recipe, names);
    }
    for (std::string_view rest = found->specs; !rest.empty();) {
      size_t end = std::min(rest.find(';'), rest.size());
      specs_.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 2, rest.size()));  // "; "
    }
  }
  for (const std::string& spec : extra) {
    std::string name = parse_spec(spec).name;
    auto same =
        std::find_if(specs_.begin(), specs_.end(), [&](const std::string& s) { return parse_spec(s).name == name; });
    if (same != specs_.end())
      *same = spec;
    else
      specs_.push_back(spec);
  }
  for (const std::string& spec : specs_) {
    names_.push_back(parse_spec(spec).name);
    filters_.push_back(filters().make(spec));
  }
}

std::optional<FilterChain::Verdict> FilterChain::apply(FilterDocument& document) const {
  for (size_t i = 0; i < filters_.size(); ++i)
    if (auto drop = filters_[i]->apply(document)) return Verdict{i, *drop};
  return {};
}

}  // namespace llmkit::clean
