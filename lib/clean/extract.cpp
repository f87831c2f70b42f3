#include "clean/extract.h"

#include <algorithm>

#include "clean/block_model.h"
#include "clean/blocks.h"
#include "clean/features.h"
#include "clean/render.h"
#include "text/utf8.h"

namespace llmkit::clean {
namespace {

constexpr size_t kReasons = 4;

std::string path_of(const text::Node* node, const text::Node* body) {
  std::vector<std::string> parts;
  for (; node != nullptr && node != body && parts.size() < 5; node = node->parent) {
    std::string part(node->name);
    std::string_view name = node->attribute("class");
    name = name.substr(0, name.find(' '));
    if (!name.empty()) part.append(".").append(text::utf8_prefix(name, 24));
    parts.push_back(std::move(part));
  }
  std::string out;
  for (size_t i = parts.size(); i-- > 0;) out.append(out.empty() ? "" : " > ").append(parts[i]);
  return out;
}

std::vector<BlockScore> explain_blocks(const PageBlocks& page, const FeatureTable& features,
                                       const std::vector<float>& probability, const std::vector<bool>& keep) {
  std::vector<BlockScore> out;
  for (size_t i = 0; i < page.blocks.size(); ++i) {
    const Block& b = page.blocks[i];
    BlockScore s{std::string(block_kind_name(b.kind)),
                 path_of(b.node, page.body),
                 b.text,
                 b.words,
                 b.words > 0 ? static_cast<double>(b.link_words) / b.words : 0,
                 probability[i],
                 keep[i],
                 {}};
    for (auto [feature, amount] : BlockModel::shipped().reasons(features.row(i), features.columns)) {
      if (s.reasons.size() == kReasons) break;
      s.reasons.emplace_back(feature_names()[static_cast<size_t>(feature)], amount);
    }
    out.push_back(std::move(s));
  }
  return out;
}

}  // namespace

Extraction extract_main_text(std::string html, std::string_view url, const ExtractOptions& options) {
  text::HtmlDocument document;
  text::parse_html(std::move(html), document,
                   {.scripting = false, .max_depth = options.max_depth, .fragment_context = {}});
  PageBlocks page = split_blocks(document);
  Extraction out;
  out.title = page.og_title.empty() ? page.title : page.og_title;
  for (const text::Node* n = document.root->first_child; n != nullptr; n = n->next)
    if (n->is(text::Tag::html)) out.html_language = n->attribute("lang");
  out.blocks_total = static_cast<uint32_t>(page.blocks.size());
  if (page.blocks.empty()) return out;
  FeatureTable features = block_features(page, url);
  std::vector<float> probability;
  std::vector<uint32_t> words;
  for (size_t i = 0; i < page.blocks.size(); ++i) {
    probability.push_back(BlockModel::shipped().probability(features.row(i)));
    words.push_back(page.blocks[i].words);
  }
  std::vector<bool> keep = select_blocks(probability, words);
  out.blocks_kept = static_cast<uint32_t>(std::count(keep.begin(), keep.end(), true));
  out.text = render_blocks(page.blocks, keep, options.markup);
  if (options.explain) out.blocks = explain_blocks(page, features, probability, keep);
  return out;
}

}  // namespace llmkit::clean
