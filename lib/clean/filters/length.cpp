// Bounds on the number of characters.
#include "clean/filter.h"

namespace llmkit::clean {
namespace {

class Length : public Filter {
 public:
  explicit Length(const Values& v) : min_(v.real("min-characters")), max_(v.real("max-characters")) {}

  std::optional<Drop> apply(FilterDocument& d) const override {
    auto characters = static_cast<double>(d.stats().characters);
    double low = d.unspaced() ? min_ / 3 : min_;  // a Chinese character says about as much as three letters
    if (characters < low) return Drop{"min-characters", characters, low};
    if (characters > max_) return Drop{"max-characters", characters, max_};
    return {};
  }

 private:
  double min_, max_;
};

}  // namespace

Entry<Filter> length_filter() {
  return {
      {"length",
       "bounds on the number of characters",
       "",
       {{"min-characters", ParamType::real, "150", "fewest characters (a third of it in unspaced scripts)", 0, 1e12},
        {"max-characters", ParamType::real, "1e7", "most characters", 0, 1e12}}},
      [](const Values& v) -> std::unique_ptr<Filter> { return std::make_unique<Length>(v); }};
}

}  // namespace llmkit::clean
