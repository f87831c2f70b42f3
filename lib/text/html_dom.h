// The document tree that parse_html builds. Nodes and strings live in the document's arena (or point into its source),
// so a tree is freed at once and no walk over it needs recursion.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/arena.h"
#include "text/html_tags.h"

namespace llmkit::text {

enum class NodeType : uint8_t { document, doctype, element, text, comment };
enum class Namespace : uint8_t { html, svg, mathml };

struct Attribute {
  std::string_view name;  // lower case, except adjusted SVG and MathML names
  std::string_view value;
  Attribute* next = nullptr;
  bool prefixed = false;  // "xlink:href" and the like in foreign content
};

struct Node {
  NodeType type = NodeType::element;
  Namespace space = Namespace::html;
  Tag tag = Tag::unknown;
  bool open = false;           // on the parser's stack of open elements
  uint32_t id = 0;             // dense, in creation order: an index for tables beside the tree
  uint32_t text_capacity = 0;  // bytes that `text` may grow to in place
  std::string_view name;       // of an element or a doctype
  std::string_view text;       // of a text or comment node
  Attribute* attributes = nullptr;
  Node* parent = nullptr;
  Node* first_child = nullptr;
  Node* last_child = nullptr;
  Node* previous = nullptr;
  Node* next = nullptr;

  bool is(Tag t) const { return tag == t && space == Namespace::html && type == NodeType::element; }
  // The attribute's value, or a view with a null data pointer where it is absent.
  std::string_view attribute(std::string_view wanted) const {
    for (Attribute* a = attributes; a != nullptr; a = a->next)
      if (a->name == wanted) return a->value.data() != nullptr ? a->value : std::string_view("");
    return {};
  }
};

// The node after `node` in document order inside `root`, nullptr at the end.
inline Node* next_in_order(const Node* node, const Node* root) {
  if (node->first_child != nullptr) return node->first_child;
  while (node != root && node->next == nullptr) node = node->parent;
  return node == root ? nullptr : node->next;
}
// The same, without going into `node`'s children.
inline Node* next_after_subtree(const Node* node, const Node* root) {
  while (node != root && node->next == nullptr) node = node->parent;
  return node == root ? nullptr : node->next;
}

struct HtmlDocument {
  std::string source;  // the text that nodes point into
  Arena arena;
  Node* root = nullptr;  // of type document
  uint32_t nodes = 0;
  bool quirks = false;

  HtmlDocument() = default;
  HtmlDocument(HtmlDocument&&) = delete;  // nodes point into `source`
};

struct HtmlOptions {
  bool scripting = false;               // as a browser with scripts parses: <noscript> is text
  uint32_t max_depth = 512;             // deeper elements become siblings, as in browsers
  std::string_view fragment_context{};  // parse as innerHTML of this element; "svg path" and "math mi" for foreign ones
};

// Parses UTF-8 (repaired before if need be) by the HTML standard's tree construction algorithm. Any input gives a tree;
// time and memory are linear in the input but for a factor bounded by `max_depth`.
void parse_html(std::string source, HtmlDocument& document, const HtmlOptions& options = {});

// The tree in the notation of html5lib's tests, for tests and debugging.
std::string dump_tree(const Node& root);

}  // namespace llmkit::text
