// The stack of open elements (HTML standard, 13.2.4.2): scopes, implied end tags, and the mode that the stack implies.
#include <algorithm>

#include "text/html_tree_builder.h"

namespace llmkit::text {
namespace {

constexpr TagSet kScope = {Tag::applet, Tag::caption, Tag::html,   Tag::table,  Tag::td,
                           Tag::th,     Tag::marquee, Tag::object, Tag::select, Tag::template_};
constexpr TagSet kListScope = {Tag::applet,  Tag::caption, Tag::html,   Tag::table,     Tag::td, Tag::th,
                               Tag::marquee, Tag::object,  Tag::select, Tag::template_, Tag::ol, Tag::ul};
constexpr TagSet kButtonScope = {Tag::applet,  Tag::caption, Tag::html,   Tag::table,     Tag::td,    Tag::th,
                                 Tag::marquee, Tag::object,  Tag::select, Tag::template_, Tag::button};
constexpr TagSet kTableScope = {Tag::html, Tag::table, Tag::template_};
constexpr TagSet kImplied = {Tag::dd, Tag::dt, Tag::li, Tag::optgroup, Tag::option,
                             Tag::p,  Tag::rb, Tag::rp, Tag::rt,       Tag::rtc};
constexpr TagSet kImpliedThorough = {Tag::dd,    Tag::dt, Tag::li,    Tag::optgroup, Tag::option,  Tag::p,
                                     Tag::rb,    Tag::rp, Tag::rt,    Tag::rtc,      Tag::caption, Tag::colgroup,
                                     Tag::tbody, Tag::td, Tag::tfoot, Tag::th,       Tag::thead,   Tag::tr};

}  // namespace

void TreeBuilder::push(Node* node) {
  node->open = true;
  open_.push_back(node);
}

void TreeBuilder::pop() {  // the root element stays
  if (open_.size() <= 1) return;
  open_.back()->open = false;
  open_.pop_back();
}

void TreeBuilder::pop_until(Tag tag) {
  pop_until(TagSet{tag});
}

void TreeBuilder::pop_until(TagSet tags) {
  while (open_.size() > 1) {
    Node* top = current();
    pop();
    if (top->space == Namespace::html && tags.has(top->tag)) return;
  }
}

void TreeBuilder::pop_to_context(TagSet context) {
  while (open_.size() > 1 && !(current()->space == Namespace::html && context.has(current()->tag))) pop();
}

void TreeBuilder::remove_open(Node* node) {
  auto it = std::find(open_.begin() + 1, open_.end(), node);
  if (it == open_.end()) return;
  node->open = false;
  open_.erase(it);
}

bool TreeBuilder::is_on_stack(Tag tag) const {
  return std::any_of(open_.rbegin(), open_.rend(), [&](const Node* n) { return n->is(tag); });
}

bool TreeBuilder::in_scope(TagSet wanted, TagSet boundary, bool foreign_boundary) const {
  for (size_t i = open_.size(); i-- > 0;) {
    const Node* node = open_[i];
    if (node->space == Namespace::html) {
      if (wanted.has(node->tag)) return true;
      if (boundary.has(node->tag)) return false;
    } else if (foreign_boundary && is_special(node)) {
      return false;
    }
  }
  return false;
}

bool TreeBuilder::in_scope(Tag tag) const {
  return in_scope(TagSet{tag}, kScope, true);
}
bool TreeBuilder::in_scope(TagSet tags) const {
  return in_scope(tags, kScope, true);
}
bool TreeBuilder::in_button_scope(Tag tag) const {
  return in_scope(TagSet{tag}, kButtonScope, true);
}
bool TreeBuilder::in_list_scope(Tag tag) const {
  return in_scope(TagSet{tag}, kListScope, true);
}
bool TreeBuilder::in_table_scope(TagSet tags) const {
  return in_scope(tags, kTableScope, false);
}

void TreeBuilder::implied_end_tags(Tag except) {
  while (current()->space == Namespace::html && current()->tag != except && kImplied.has(current()->tag)) pop();
}

void TreeBuilder::implied_end_tags_thoroughly() {
  while (current()->space == Namespace::html && kImpliedThorough.has(current()->tag)) pop();
}

void TreeBuilder::close_p() {
  implied_end_tags(Tag::p);
  pop_until(Tag::p);
}

void TreeBuilder::reset_mode() {
  for (size_t i = open_.size(); i-- > 0;) {
    bool last = i == 0;
    const Node* node = last && context_ != nullptr ? context_ : open_[i];
    Tag tag = node->space == Namespace::html ? node->tag : Tag::unknown;
    switch (tag) {
      case Tag::td:
      case Tag::th:
        if (last) break;
        mode_ = Mode::in_cell;
        return;
      case Tag::tr:
        mode_ = Mode::in_row;
        return;
      case Tag::tbody:
      case Tag::thead:
      case Tag::tfoot:
        mode_ = Mode::in_table_body;
        return;
      case Tag::caption:
        mode_ = Mode::in_caption;
        return;
      case Tag::colgroup:
        mode_ = Mode::in_column_group;
        return;
      case Tag::table:
        mode_ = Mode::in_table;
        return;
      case Tag::template_:
        mode_ = template_modes_.empty() ? Mode::in_body : template_modes_.back();
        return;
      case Tag::head:
        if (last) break;
        mode_ = Mode::in_head;
        return;
      case Tag::body:
        mode_ = Mode::in_body;
        return;
      case Tag::frameset:
        mode_ = Mode::in_frameset;
        return;
      case Tag::html:
        mode_ = head_ == nullptr ? Mode::before_head : Mode::after_head;
        return;
      default:
        break;
    }
    if (last) break;
  }
  mode_ = Mode::in_body;
}

void TreeBuilder::close_template() {
  if (!is_on_stack(Tag::template_)) return;
  implied_end_tags_thoroughly();
  pop_until(Tag::template_);
  clear_to_marker();
  if (!template_modes_.empty()) template_modes_.pop_back();
  reset_mode();
}

}  // namespace llmkit::text
