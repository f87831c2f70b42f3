// The list of active formatting elements and the adoption agency (HTML standard, 13.2.4.3 and 13.2.6.4.7): how
// "<b>1<p>2</b>3" gives what its author meant.
#include <algorithm>

#include "text/html_tree_builder.h"

namespace llmkit::text {
namespace {

constexpr size_t kMaxFormatting = 1024;

bool same_element(const Node* a, const Node* b) {
  if (a->tag != b->tag || a->name != b->name || a->space != b->space) return false;
  int count_a = 0, count_b = 0;
  for (Attribute* x = a->attributes; x != nullptr; x = x->next, ++count_a)
    if (std::string_view value = b->attribute(x->name); value.data() == nullptr || value != x->value) return false;
  for (Attribute* x = b->attributes; x != nullptr; x = x->next) ++count_b;
  return count_a == count_b;
}

}  // namespace

void TreeBuilder::push_formatting(Node* element) {
  int same = 0;  // at most three alike since the last marker ("Noah's Ark")
  for (size_t i = formatting_.size(); i-- > 0 && formatting_[i] != nullptr;) {
    if (!same_element(formatting_[i], element) || ++same < 3) continue;
    formatting_.erase(formatting_.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  if (formatting_.size() >= kMaxFormatting) formatting_.erase(formatting_.begin());
  formatting_.push_back(element);
}

void TreeBuilder::push_marker() {
  if (formatting_.size() >= kMaxFormatting) formatting_.erase(formatting_.begin());
  formatting_.push_back(nullptr);
}

void TreeBuilder::clear_to_marker() {
  while (!formatting_.empty()) {
    Node* last = formatting_.back();
    formatting_.pop_back();
    if (last == nullptr) return;
  }
}

void TreeBuilder::reconstruct_formatting() {
  if (formatting_.empty() || formatting_.back() == nullptr || formatting_.back()->open) return;
  size_t first = formatting_.size() - 1;
  while (first > 0 && formatting_[first - 1] != nullptr && !formatting_[first - 1]->open) --first;
  for (size_t i = first; i < formatting_.size(); ++i) {
    if (clone_budget_ <= 0) return;
    if (open_.size() >= options_.max_depth) pop();
    Node* copy = clone(formatting_[i]);
    attach(copy, place());
    push(copy);
    formatting_[i] = copy;
  }
}

void TreeBuilder::remove_formatting(Node* element) {
  std::erase(formatting_, element);
}

Node* TreeBuilder::formatting_after_marker(Tag tag) const {
  for (size_t i = formatting_.size(); i-- > 0 && formatting_[i] != nullptr;)
    if (formatting_[i]->is(tag)) return formatting_[i];
  return nullptr;
}

void TreeBuilder::any_other_end_tag(const Token& token) {
  for (size_t i = open_.size(); i-- > 1;) {
    Node* node = open_[i];
    if (node->space == Namespace::html && node->name == token.name) {
      implied_end_tags(token.tag == Tag::unknown ? Tag::unknown : token.tag);
      while (open_.size() > i) pop();
      return;
    }
    if (is_special(node)) return;
  }
}

void TreeBuilder::adoption_agency(const Token& token) {
  if (current()->space == Namespace::html && current()->name == token.name &&
      std::find(formatting_.begin(), formatting_.end(), current()) == formatting_.end()) {
    pop();
    return;
  }
  for (int round = 0; round < 8; ++round) {
    Node* element = formatting_after_marker(token.tag);
    if (element == nullptr || clone_budget_ <= 0) return any_other_end_tag(token);
    if (!element->open) return remove_formatting(element);
    if (!in_scope(element->tag)) return;
    size_t index = std::find(open_.begin(), open_.end(), element) - open_.begin();
    size_t furthest = index + 1;
    while (furthest < open_.size() && !is_special(open_[furthest])) ++furthest;
    if (furthest == open_.size()) {
      while (open_.size() > index && open_.size() > 1) pop();
      return remove_formatting(element);
    }
    Node* block = open_[furthest];
    Node* ancestor = open_[index - 1];
    size_t bookmark = std::find(formatting_.begin(), formatting_.end(), element) - formatting_.begin();
    Node* last = block;
    size_t at = furthest;
    for (int inner = 1;; ++inner) {
      Node* node = open_[--at];
      if (node == element) break;
      auto listed = std::find(formatting_.begin(), formatting_.end(), node);
      if (inner > 3 && listed != formatting_.end()) {
        if (listed - formatting_.begin() < static_cast<ptrdiff_t>(bookmark)) --bookmark;
        formatting_.erase(listed);
        listed = formatting_.end();
      }
      if (listed == formatting_.end()) {
        node->open = false;
        open_.erase(open_.begin() + static_cast<ptrdiff_t>(at));
        continue;  // the elements above moved down by one; `at` now names the one that followed
      }
      Node* copy = clone(node);
      *listed = copy;
      node->open = false;
      copy->open = true;
      open_[at] = copy;
      if (last == block) bookmark = listed - formatting_.begin() + 1;
      detach(last);
      attach(last, {copy, nullptr});
      last = copy;
    }
    detach(last);
    attach(last, place(ancestor));
    Node* copy = clone(element);
    while (Node* child = block->first_child) {
      detach(child);
      attach(child, {copy, nullptr});
    }
    attach(copy, {block, nullptr});
    size_t old = std::find(formatting_.begin(), formatting_.end(), element) - formatting_.begin();
    formatting_.insert(formatting_.begin() + static_cast<ptrdiff_t>(bookmark), copy);
    formatting_.erase(formatting_.begin() + static_cast<ptrdiff_t>(old < bookmark ? old : old + 1));
    remove_open(element);
    auto below = std::find(open_.begin(), open_.end(), block);
    copy->open = true;
    open_.insert(below + 1, copy);
  }
}

}  // namespace llmkit::text
