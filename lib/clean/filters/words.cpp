// Drops documents that hold too many words of the user's list (C4's bad-word rule with a count). An entry may be a
// phrase; it matches whole words, and anywhere in unspaced scripts.
#include <unordered_map>

#include "clean/filter.h"
#include "io/input.h"
#include "io/line_reader.h"
#include "text/unicode.h"

namespace llmkit::clean {
namespace {

class Words : public Filter {
 public:
  explicit Words(const Values& v) : limit_(v.real("max-hits")) {
    if (v.text("file").empty())
      throw UsageError(ErrorParts{"the words filter needs a list", "words", "words:file=PATH", "no file", {}});
    auto input = io::open_input(v.text("file"));
    io::LineReader lines(*input);
    for (std::string_view line; lines.next(line);) {
      line = text::trim(line);
      if (line.empty() || line.front() == '#') continue;
      std::string entry = text::to_lower(line);
      std::vector<std::string> parts;
      for (const text::Word& w : text::split_words(entry)) parts.emplace_back(w.text);
      if (!parts.empty()) entries_[parts.front()].push_back(std::move(parts));
    }
  }

  std::optional<Drop> apply(FilterDocument& d) const override {
    std::string lower = text::to_lower(d.text);
    std::vector<text::Word> words = text::split_words(lower);
    double hits = 0;
    for (size_t i = 0; i < words.size(); ++i) {
      auto found = entries_.find(std::string(words[i].text));
      if (found == entries_.end()) continue;
      for (const auto& entry : found->second) {
        bool same = i + entry.size() <= words.size();
        for (size_t k = 1; same && k < entry.size(); ++k) same = words[i + k].text == entry[k];
        if (same && ++hits > limit_) return Drop{"max-hits", hits, limit_};
      }
    }
    return {};
  }

 private:
  double limit_;
  std::unordered_map<std::string, std::vector<std::vector<std::string>>> entries_;  // by first word
};

}  // namespace

Entry<Filter> words_filter() {
  return {{"words",
           "drops documents with words of a list",
           "Raffel et al. 2020, arXiv 1910.10683",
           {{"file", ParamType::text, "", "list, one word or phrase a line"},
            {"max-hits", ParamType::real, "0", "most occurrences", 0, 1e9}}},
          [](const Values& v) -> std::unique_ptr<Filter> { return std::make_unique<Words>(v); }};
}

}  // namespace llmkit::clean
