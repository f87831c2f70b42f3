#include "clean/render.h"

#include <algorithm>

namespace llmkit::clean {
namespace {

void append_prefix(std::string& out, const Block& b, Markup markup, int number) {
  if (b.kind == BlockKind::item) {
    out.append(2 * static_cast<size_t>(std::max(0, b.list_depth - 1)), ' ');
    if (b.same_item)
      out += "  ";
    else if (b.ordered)
      out.append(std::to_string(number)).append(". ");
    else
      out += "- ";
  }
  if (markup == Markup::plain) return;
  if (b.kind == BlockKind::heading) out.append(b.heading_level, '#').append(" ");
  if (b.kind == BlockKind::quote) out += "> ";
}

bool tight(const Block& a, const Block& b) {
  if (a.kind == BlockKind::item && b.kind == BlockKind::item) return true;
  if (a.kind == BlockKind::row && b.kind == BlockKind::row)
    return a.node->parent != nullptr && b.node->parent != nullptr;
  return a.kind == BlockKind::term && b.kind == BlockKind::term && a.node->parent == b.node->parent;
}

}  // namespace

std::string render_blocks(const std::vector<Block>& blocks, const std::vector<bool>& keep, Markup markup) {
  std::string out;
  const Block* last = nullptr;
  int number = 0;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Block& b = blocks[i];
    if (b.kind == BlockKind::item && b.ordered && !b.same_item)
      number = i > 0 && blocks[i - 1].kind == BlockKind::item && blocks[i - 1].ordered ? number + 1 : 1;
    if (!keep[i]) continue;
    if (last != nullptr) out += tight(*last, b) ? "\n" : "\n\n";
    append_prefix(out, b, markup, number);
    bool fence = markup == Markup::markdown && b.kind == BlockKind::code;
    if (fence) out += "```\n";
    out += b.text;
    if (fence) out += "\n```";
    if (markup == Markup::markdown && b.kind == BlockKind::row && b.table_head &&
        (last == nullptr || last->kind != BlockKind::row)) {
      out += "\n";
      size_t cells = 1;
      for (size_t at = b.text.find(" | "); at != std::string::npos; at = b.text.find(" | ", at + 3)) ++cells;
      for (size_t c = 0; c < cells; ++c) out += c == 0 ? "---" : " | ---";
    }
    last = &b;
  }
  if (!out.empty()) out += '\n';
  return out;
}

}  // namespace llmkit::clean
