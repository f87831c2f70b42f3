// The HTML parser against html5lib's tree construction tests.
#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <vector>

#include "real/real_data.h"
#include "text/html_dom.h"

namespace {

using namespace llmkit;

struct Case {
  std::string data, fragment, expected;
  bool script_on = false, script_off = false;
};

std::vector<Case> parse_cases(std::string_view file) {
  std::vector<Case> cases;
  std::string section;
  Case* now = nullptr;
  for (size_t at = 0; at < file.size();) {
    size_t end = std::min(file.find('\n', at), file.size());
    std::string_view line = file.substr(at, end - at);
    at = end + 1;
    if (line == "#data") {
      cases.emplace_back();
      now = &cases.back();
      section = "#data";
    } else if (now != nullptr &&
               (line == "#errors" || line == "#new-errors" || line == "#document" || line == "#document-fragment")) {
      section = line;
    } else if (now != nullptr && line == "#script-on") {
      now->script_on = true;
    } else if (now != nullptr && line == "#script-off") {
      now->script_off = true;
    } else if (section == "#data") {
      now->data.append(line).append("\n");
    } else if (section == "#document-fragment") {
      now->fragment = line;
    } else if (section == "#document") {
      now->expected.append(line).append("\n");
    }
  }
  for (Case& c : cases) {
    if (!c.data.empty()) c.data.pop_back();
    while (c.expected.ends_with("\n\n")) c.expected.pop_back();
  }
  return cases;
}

TEST_CASE("the parser builds the trees of html5lib's tests") {
  std::string path = real::data_file("html5lib/tree_construction_a.tar.zst");
  if (path.empty()) return;
  bool verbose = std::getenv("LLMKIT_VERBOSE") != nullptr;
  int passed = 0, total = 0;
  real::for_each_in_tar(path, [&](const std::string& name, std::string_view content) {
    if (!name.ends_with(".dat") || name.find("scripted") != std::string::npos) return;  // we run no scripts
    int file_passed = 0, file_total = 0;
    for (const Case& c : parse_cases(content)) {
      for (bool scripting : {false, true}) {
        if ((c.script_on && !scripting) || (c.script_off && scripting)) continue;
        text::HtmlDocument document;
        text::parse_html(c.data, document, {.scripting = scripting, .fragment_context = c.fragment});
        const text::Node* root = document.root;
        std::string got = text::dump_tree(c.fragment.empty() ? *root : *root->first_child);
        bool same = got == c.expected;
        ++file_total;
        file_passed += same;
        if (!same && verbose)
          std::printf("--- %s %s\n%s\nexpected\n%s\ngot\n%s\n", name.c_str(), c.fragment.c_str(), c.data.c_str(),
                      c.expected.c_str(), got.c_str());
      }
    }
    if (file_passed != file_total) std::printf("html5lib %s: %d of %d\n", name.c_str(), file_passed, file_total);
    passed += file_passed;
    total += file_total;
  });
  std::printf("html5lib tree construction: %d of %d pass (%.2f %%)\n", passed, total,
              100.0 * passed / std::max(total, 1));
  CHECK(total > 1500);
  CHECK(passed >= total * 0.99);
}

}  // namespace
