// RefinedWeb's line rules (Penedo et al. 2023, appendix G.2): takes out lines that are mostly capitals, only numbers,
// counters ("3 likes") or a single word, and drops the document where that took too many of its words.
#include <algorithm>
#include <array>

#include "clean/filter.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace llmkit::clean {
namespace {

constexpr std::array<std::string_view, 12> kCounters = {"likes",     "shares",    "comments",  "retweets",
                                                        "reposts",   "quotes",    "bookmarks", "upvotes",
                                                        "downvotes", "downloads", "views",     "followers"};

bool mostly(std::string_view line, double limit, bool (*test)(char32_t)) {
  double hits = 0, all = 0;
  for (size_t at = 0; at < line.size();) {
    char32_t c = text::decode_utf8(line, at);
    if (text::is_space(c)) continue;
    ++all;
    hits += test(c);
  }
  return all > 0 && hits / all > limit;
}

// "1.2K likes", "3 comments"
bool is_counter(std::string_view line) {
  size_t at = 0;
  while (at < line.size() && ((line[at] >= '0' && line[at] <= '9') || line[at] == '.' || line[at] == ',')) ++at;
  if (at == 0) return false;
  if (at < line.size() && (line[at] == 'K' || line[at] == 'M' || line[at] == 'B' || line[at] == 'k' || line[at] == 'm'))
    ++at;
  while (at < line.size() && line[at] == ' ') ++at;
  std::string rest = text::to_lower(line.substr(at));
  for (std::string_view c : kCounters)
    if (rest == c || rest == c.substr(0, c.size() - 1)) return true;
  return false;
}

double words_in(std::string_view line) {
  double count = 0;
  for (const text::Word& w : text::split_words(line))
    count += w.kind == text::WordKind::symbol ? 0 : w.kind == text::WordKind::character ? 0.5 : 1;
  return count;
}

class Lines : public Filter {
 public:
  explicit Lines(const Values& v)
      : capitals_(v.real("max-capitals")),
        digits_(v.real("max-digits")),
        counters_(v.boolean("counters")),
        min_words_(v.real("min-words")),
        removed_(v.real("max-removed")) {}

  std::optional<Drop> apply(FilterDocument& d) const override {
    std::string kept;
    double all = 0, taken = 0;
    text::for_each_line(d.text, [&](std::string_view line) {
      std::string_view t = text::trim(line);
      double words = words_in(t);
      all += words;
      bool bad = !t.empty() && (mostly(t, capitals_, text::is_upper) || mostly(t, digits_, text::is_digit) ||
                                (counters_ && is_counter(t)) || words < min_words_);
      if (bad) {
        taken += words;
        return;
      }
      kept.append(line).append("\n");
    });
    double share = all > 0 ? taken / all : 0;
    if (share > removed_) return Drop{"max-removed", share, removed_};
    if (taken > 0) d.replace_text(std::move(kept));
    return {};
  }

 private:
  double capitals_, digits_;
  bool counters_;
  double min_words_, removed_;
};

}  // namespace

Entry<Filter> lines_filter() {
  return {{"lines",
           "takes out lines of capitals, numbers, counters, single words",
           "Penedo et al. 2023, arXiv 2306.01116",
           {{"max-capitals", ParamType::real, "0.5", "largest share of capital letters in a line", 0, 1},
            {"max-digits", ParamType::real, "0.999999", "largest share of digits in a line", 0, 1},
            {"counters", ParamType::boolean, "true", "take out lines such as '3 likes'"},
            {"min-words", ParamType::real, "2", "fewest words of a line", 0, 1e6},
            {"max-removed", ParamType::real, "0.05", "largest share of words taken out before the document is dropped",
             0, 1}}},
          [](const Values& v) -> std::unique_ptr<Filter> { return std::make_unique<Lines>(v); }};
}

}  // namespace llmkit::clean
