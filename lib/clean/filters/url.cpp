// URL lists, matched as RefinedWeb and datatrove do: listed domains (and their subdomains), a hard word among the URL's
// words, two soft words, or a fragment inside the URL stripped to letters and digits. The lists are the user's files,
// one entry a line, '#' comments; an empty name is no list.
#include <algorithm>
#include <unordered_set>

#include "clean/filter.h"
#include "io/input.h"
#include "io/line_reader.h"
#include "text/unicode.h"

namespace llmkit::clean {
namespace {

std::unordered_set<std::string> load_list(const std::string& path) {
  std::unordered_set<std::string> out;
  if (path.empty()) return out;
  auto input = io::open_input(path);
  io::LineReader lines(*input);
  for (std::string_view line; lines.next(line);)
    if (line = text::trim(line); !line.empty() && line.front() != '#') out.insert(text::to_lower(line));
  return out;
}

std::string_view host_of(std::string_view url) {
  size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (size_t user = url.rfind('@'); user != std::string_view::npos) url.remove_prefix(user + 1);
  url = url.substr(0, url.find(':'));
  if (url.starts_with("www.")) url.remove_prefix(4);
  return url;
}

class Url : public Filter {
 public:
  explicit Url(const Values& v)
      : domains_(load_list(v.text("domains"))),
        hard_(load_list(v.text("hard-words"))),
        soft_(load_list(v.text("soft-words"))),
        soft_limit_(v.real("max-soft-words")) {
    auto parts = load_list(v.text("fragments"));
    fragments_.assign(parts.begin(), parts.end());
    std::sort(fragments_.begin(), fragments_.end());
  }

  std::optional<Drop> apply(FilterDocument& d) const override {
    if (d.url.empty()) return {};
    std::string url = text::to_lower(d.url);
    for (std::string_view host = host_of(url); !domains_.empty() && !host.empty();) {
      if (domains_.contains(std::string(host))) return Drop{"domains", 1, 0};
      size_t dot = host.find('.');
      host.remove_prefix(dot == std::string_view::npos ? host.size() : dot + 1);
    }
    std::string word, stripped;
    double soft = 0;
    for (size_t i = 0; i <= url.size(); ++i) {
      char c = i < url.size() ? url[i] : '/';
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        word += c;
        continue;
      }
      if (hard_.contains(word)) return Drop{"hard-words", 1, 0};
      soft += soft_.contains(word);
      stripped += word;
      word.clear();
    }
    if (soft > soft_limit_) return Drop{"max-soft-words", soft, soft_limit_};
    for (const std::string& f : fragments_)
      if (stripped.find(f) != std::string::npos) return Drop{"fragments", 1, 0};
    return {};
  }

 private:
  std::unordered_set<std::string> domains_, hard_, soft_;
  std::vector<std::string> fragments_;
  double soft_limit_;
};

}  // namespace

Entry<Filter> url_filter() {
  return {{"url",
           "drops by lists of domains and of words in the URL",
           "Penedo et al. 2023, arXiv 2306.01116",
           {{"domains", ParamType::text, "", "file of domains; www. and subdomains are covered"},
            {"hard-words", ParamType::text, "", "file of words, one of which suffices"},
            {"soft-words", ParamType::text, "", "file of words that count together"},
            {"max-soft-words", ParamType::real, "1", "most soft words", 0, 1e6},
            {"fragments", ParamType::text, "", "file of letter sequences looked for anywhere"}}},
          [](const Values& v) -> std::unique_ptr<Filter> { return std::make_unique<Url>(v); }};
}

}  // namespace llmkit::clean
