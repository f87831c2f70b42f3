#include <algorithm>
#include <vector>

#include "text/html_dom.h"

namespace llmkit::text {
namespace {

void indent(std::string& out, int depth) {
  out += "| ";
  out.append(static_cast<size_t>(depth) * 2, ' ');
}

void dump_attributes(std::string& out, const Node& node, int depth) {
  std::vector<std::pair<std::string, std::string_view>> lines;
  for (Attribute* a = node.attributes; a != nullptr; a = a->next) {
    std::string name(a->name);
    if (a->prefixed) std::replace(name.begin(), name.end(), ':', ' ');
    lines.emplace_back(std::move(name), a->value);
  }
  std::sort(lines.begin(), lines.end());
  for (auto& [name, value] : lines) {
    indent(out, depth);
    out.append(name).append("=\"").append(value).append("\"\n");
  }
}

void dump_node(std::string& out, const Node& node, int depth) {
  indent(out, depth);
  switch (node.type) {
    case NodeType::document:
      break;
    case NodeType::doctype:
      out.append("<!DOCTYPE ").append(node.name);
      if (node.attributes != nullptr)
        out.append(" \"")
            .append(node.attributes->value)
            .append("\" \"")
            .append(node.attributes->next->value)
            .append("\"");
      out += ">\n";
      break;
    case NodeType::text:
      out.append("\"").append(node.text).append("\"\n");
      break;
    case NodeType::comment:
      out.append("<!-- ").append(node.text).append(" -->\n");
      break;
    case NodeType::element:
      out += node.space == Namespace::svg ? "<svg " : node.space == Namespace::mathml ? "<math " : "<";
      out.append(node.name).append(">\n");
      dump_attributes(out, node, depth + 1);
      if (node.is(Tag::template_)) {
        indent(out, depth + 1);
        out += "content\n";
      }
      break;
  }
}

}  // namespace

std::string dump_tree(const Node& root) {
  std::string out;
  for (const Node* node = next_in_order(&root, &root); node != nullptr; node = next_in_order(node, &root)) {
    int depth = 0;
    for (const Node* up = node->parent; up != &root; up = up->parent) depth += up->is(Tag::template_) ? 2 : 1;
    dump_node(out, *node, depth);
  }
  return out;
}

}  // namespace llmkit::text
