// Main text of a web page: HTML in, the text a reader came for out, with headings, lists, tables and code kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llmkit::clean {

enum class Markup { plain, markdown };

struct ExtractOptions {
  Markup markup = Markup::plain;
  bool explain = false;      // fill Extraction::blocks
  uint32_t max_depth = 256;  // of the element tree
};

// Why a block was kept or dropped.
struct BlockScore {
  std::string kind;  // "paragraph", "heading", …
  std::string path;  // "main > article.post > p"
  std::string text;
  uint32_t words = 0;
  double link_density = 0;
  double probability = 0;
  bool kept = false;
  std::vector<std::pair<std::string, double>> reasons;  // feature, log-odds; largest first
};

struct Extraction {
  std::string text;
  std::string title;
  std::string html_language;  // of <html lang>, as written
  uint32_t blocks_total = 0, blocks_kept = 0;
  std::vector<BlockScore> blocks;  // with `explain`
};

// `html` is valid UTF-8; `url` may be empty.
Extraction extract_main_text(std::string html, std::string_view url, const ExtractOptions& options = {});

}  // namespace llmkit::clean
