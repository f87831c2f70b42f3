// A page as a list of text blocks: what lies between two block-level boundaries (paragraph, heading, list item, table
// row, code). The extractor decides block by block which belong to the page's content.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/html_dom.h"

namespace llmkit::clean {

enum class BlockKind : uint8_t { text, paragraph, heading, item, term, row, code, quote, caption };
std::string_view block_kind_name(BlockKind kind);

struct Block {
  const text::Node* node = nullptr;  // the element whose content this is
  BlockKind kind = BlockKind::text;
  uint8_t heading_level = 0;
  uint8_t list_depth = 0;
  bool ordered = false;     // an item of a numbered list
  bool same_item = false;   // goes on inside the list item of the block before
  bool table_head = false;  // a row of <th> cells
  std::string text;         // white space collapsed, except in code
  uint32_t words = 0;
  uint32_t link_words = 0;  // of them inside links
  uint32_t links = 0;
};

// Sums over an element's subtree, indexed by node id.
struct Subtree {
  uint32_t words = 0;
  uint32_t link_words = 0;
  uint32_t prose_words = 0;  // words of blocks that look like running text
  uint32_t blocks = 0;
  uint32_t first_block = 0;  // of the subtree's blocks, in page order
};

struct PageBlocks {
  const text::Node* body = nullptr;
  std::vector<Block> blocks;
  std::vector<Subtree> subtree;                // by node id
  std::string title;                           // of <title>
  std::string og_type, og_title, description;  // of <meta>
};

PageBlocks split_blocks(const text::HtmlDocument& document);

// Words as the block statistics count them: runs of letters and digits; two characters of an unspaced script are a
// word.
uint32_t count_words(std::string_view text);

// Whether the element is told to be invisible (hidden, display:none, visibility:hidden).
bool is_hidden(const text::Node& element);

}  // namespace llmkit::clean
