#include "text/html_tree_builder.h"

#include <algorithm>
#include <cstring>

namespace llmkit::text {
namespace {

constexpr TagSet kSpecial = {
    Tag::address, Tag::applet,     Tag::area,      Tag::article,    Tag::aside,     Tag::base,     Tag::basefont,
    Tag::bgsound, Tag::blockquote, Tag::body,      Tag::br,         Tag::button,    Tag::caption,  Tag::center,
    Tag::col,     Tag::colgroup,   Tag::dd,        Tag::details,    Tag::dir,       Tag::div,      Tag::dl,
    Tag::dt,      Tag::embed,      Tag::fieldset,  Tag::figcaption, Tag::figure,    Tag::footer,   Tag::form,
    Tag::frame,   Tag::frameset,   Tag::h1,        Tag::h2,         Tag::h3,        Tag::h4,       Tag::h5,
    Tag::h6,      Tag::head,       Tag::header,    Tag::hgroup,     Tag::hr,        Tag::html,     Tag::iframe,
    Tag::img,     Tag::input,      Tag::keygen,    Tag::li,         Tag::link,      Tag::listing,  Tag::main,
    Tag::marquee, Tag::menu,       Tag::meta,      Tag::nav,        Tag::noembed,   Tag::noframes, Tag::noscript,
    Tag::object,  Tag::ol,         Tag::p,         Tag::param,      Tag::plaintext, Tag::pre,      Tag::script,
    Tag::search,  Tag::section,    Tag::select,    Tag::source,     Tag::style,     Tag::summary,  Tag::table,
    Tag::tbody,   Tag::td,         Tag::template_, Tag::textarea,   Tag::tfoot,     Tag::th,       Tag::thead,
    Tag::title,   Tag::tr,         Tag::track,     Tag::ul,         Tag::wbr,       Tag::xmp};
constexpr TagSet kForeignSpecial = {Tag::mi, Tag::mo, Tag::mn, Tag::ms, Tag::mtext, Tag::annotation_xml};
constexpr TagSet kForeignSpecialSvg = {Tag::foreignobject, Tag::desc, Tag::title};
// CR LF and CR become LF, as the standard's input stream does.
void normalise_newlines(std::string& source) {
  size_t first = source.find('\r');
  if (first == std::string::npos) return;
  char* to = source.data() + first;
  const char* end = source.data() + source.size();
  for (const char* from = to; from < end;) {
    const char* cr = static_cast<const char*>(std::memchr(from, '\r', end - from));
    size_t run = (cr != nullptr ? cr : end) - from;
    std::memmove(to, from, run);
    to += run;
    if (cr == nullptr) break;
    *to++ = '\n';
    from = cr + 1;
    if (from < end && *from == '\n') ++from;
  }
  source.resize(to - source.data());
}

}  // namespace

bool is_html_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\f' || c == '\r';
}
bool all_html_space(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_html_space);
}

bool is_special(const Node* node) {
  if (node->space == Namespace::html) return kSpecial.has(node->tag);
  return node->space == Namespace::mathml ? kForeignSpecial.has(node->tag) : kForeignSpecialSvg.has(node->tag);
}

bool is_hidden_input(const Token& token) {
  constexpr std::string_view kHidden = "hidden";
  for (Attribute* a = token.attributes; a != nullptr; a = a->next)
    if (a->name == "type")
      return a->value.size() == kHidden.size() && std::equal(a->value.begin(), a->value.end(), kHidden.begin(),
                                                             [](char x, char y) { return (x | 32) == y; });
  return false;
}

void parse_html(std::string source, HtmlDocument& document, const HtmlOptions& options) {
  document.source = std::move(source);
  if (document.source.starts_with("\xEF\xBB\xBF")) document.source.erase(0, 3);
  normalise_newlines(document.source);
  TreeBuilder(document, options).run();
}

TreeBuilder::TreeBuilder(HtmlDocument& document, const HtmlOptions& options)
    : document_(document), options_(options), tokenizer_(document.source, document.arena), arena_(document.arena) {
  document_.root = make_node(NodeType::document);
  // A few bytes like "<p>x" may ask for hundreds of copies of unclosed <b>; pages that are not hostile stay far below.
  clone_budget_ = 4096 + static_cast<int64_t>(document.source.size() / 16);
  options_.max_depth = std::max<uint32_t>(options_.max_depth, 16);
}

void TreeBuilder::run() {
  if (!options_.fragment_context.empty()) start_fragment(options_.fragment_context);
  Token token;
  do {
    tokenizer_.allow_cdata(!open_.empty() && adjusted_current()->space != Namespace::html);
    tokenizer_.next(token);
    if (skip_newline_) {
      skip_newline_ = false;
      if (token.type == Token::Type::characters && token.text.starts_with('\n')) token.text.remove_prefix(1);
    }
    if (token.type == Token::Type::characters && token.text.empty()) continue;
    Token copy = token;  // the modes consume the text
    process(copy);
  } while (token.type != Token::Type::end_of_file);
  if (!table_text_.empty()) flush_table_text();
}

void TreeBuilder::start_fragment(std::string_view context) {
  context_ = make_node(NodeType::element);
  if (context.starts_with("svg ")) context_->space = Namespace::svg;
  if (context.starts_with("math ")) context_->space = Namespace::mathml;
  context_->name = context.substr(context.rfind(' ') + 1);
  std::string lower(context_->name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  context_->tag = find_tag(lower);
  if (context_->space == Namespace::html) {
    Tag t = context_->tag;
    if (t == Tag::title || t == Tag::textarea) tokenizer_.set_state(HtmlTokenizer::State::rcdata, context_->name);
    if (t == Tag::style || t == Tag::xmp || t == Tag::iframe || t == Tag::noembed || t == Tag::noframes ||
        (t == Tag::noscript && options_.scripting))
      tokenizer_.set_state(HtmlTokenizer::State::rawtext, context_->name);
    if (t == Tag::script) tokenizer_.set_state(HtmlTokenizer::State::script, context_->name);
    if (t == Tag::plaintext) tokenizer_.set_state(HtmlTokenizer::State::plaintext, {});
    if (t == Tag::template_) template_modes_.push_back(Mode::in_template);
    if (t == Tag::form) form_ = context_;
  }
  Token html;
  html.tag = Tag::html;
  html.name = "html";
  Node* root = make_element(html, Namespace::html);
  attach(root, {document_.root, nullptr});
  push(root);
  reset_mode();
}

void TreeBuilder::process(Token& token) {
  if (mode_ == Mode::in_table_text && token.type != Token::Type::characters) flush_table_text();
  if (!open_.empty() && foreign_rules_apply(token))
    foreign(token);
  else
    process_in(mode_, token);
}

bool TreeBuilder::foreign_rules_apply(const Token& token) const {
  const Node* node = adjusted_current();
  if (node->space == Namespace::html || token.type == Token::Type::end_of_file) return false;
  bool start = token.type == Token::Type::start_tag, characters = token.type == Token::Type::characters;
  if (is_mathml_text_point(node) && ((start && token.tag != Tag::mglyph && token.tag != Tag::malignmark) || characters))
    return false;
  if (node->space == Namespace::mathml && node->tag == Tag::annotation_xml && start && token.tag == Tag::svg)
    return false;
  return !(is_html_integration_point(node) && (start || characters));
}

void TreeBuilder::process_in(Mode mode, Token& token) {
  switch (mode) {
    case Mode::initial:
      return initial(token);
    case Mode::before_html:
      return before_html(token);
    case Mode::before_head:
      return before_head(token);
    case Mode::in_head:
      return in_head(token);
    case Mode::in_head_noscript:
      return in_head_noscript(token);
    case Mode::after_head:
      return after_head(token);
    case Mode::in_body:
      return in_body(token);
    case Mode::text:
      return text(token);
    case Mode::in_table:
      return in_table(token);
    case Mode::in_table_text:
      return in_table_text(token);
    case Mode::in_caption:
      return in_caption(token);
    case Mode::in_column_group:
      return in_column_group(token);
    case Mode::in_table_body:
      return in_table_body(token);
    case Mode::in_row:
      return in_row(token);
    case Mode::in_cell:
      return in_cell(token);
    case Mode::in_template:
      return in_template(token);
    case Mode::after_body:
      return after_body(token);
    case Mode::in_frameset:
      return in_frameset(token);
    case Mode::after_frameset:
      return after_frameset(token);
    case Mode::after_after_body:
      return after_after_body(token);
    case Mode::after_after_frameset:
      return after_after_frameset(token);
  }
}

Node* TreeBuilder::make_node(NodeType type) {
  Node* node = arena_.make<Node>();
  node->type = type;
  node->id = document_.nodes++;
  return node;
}

Node* TreeBuilder::make_element(const Token& token, Namespace space) {
  Node* node = make_node(NodeType::element);
  node->space = space;
  node->tag = token.tag;
  node->name = space == Namespace::svg ? svg_tag_name(token.name) : token.name;
  node->attributes = token.attributes;
  if (space != Namespace::html) adjust_foreign_attributes(node->attributes, space);
  return node;
}

Node* TreeBuilder::clone(const Node* element) {
  --clone_budget_;
  Node* node = make_node(NodeType::element);
  node->space = element->space;
  node->tag = element->tag;
  node->name = element->name;
  node->attributes = element->attributes;  // never changed after this point
  return node;
}

void TreeBuilder::attach(Node* node, Place place) {
  node->parent = place.parent;
  node->next = place.before;
  node->previous = place.before != nullptr ? place.before->previous : place.parent->last_child;
  (node->previous != nullptr ? node->previous->next : place.parent->first_child) = node;
  (place.before != nullptr ? place.before->previous : place.parent->last_child) = node;
}

void TreeBuilder::detach(Node* node) {
  if (node->parent == nullptr) return;
  (node->previous != nullptr ? node->previous->next : node->parent->first_child) = node->next;
  (node->next != nullptr ? node->next->previous : node->parent->last_child) = node->previous;
  node->parent = node->previous = node->next = nullptr;
}

// The appropriate place for inserting a node; content that a table may not hold goes before it (foster parenting).
TreeBuilder::Place TreeBuilder::place(Node* target) const {
  constexpr TagSet kTables = {Tag::table, Tag::tbody, Tag::tfoot, Tag::thead, Tag::tr};
  if (target == nullptr) target = current();
  if (!foster_ || target->space != Namespace::html || !kTables.has(target->tag)) return {target, nullptr};
  for (size_t i = open_.size(); i-- > 0;) {
    if (open_[i]->is(Tag::template_)) return {open_[i], nullptr};
    if (!open_[i]->is(Tag::table)) continue;
    if (open_[i]->parent != nullptr) return {open_[i]->parent, open_[i]};
    return {open_[i > 0 ? i - 1 : 0], nullptr};
  }
  return {open_[0], nullptr};
}

Node* TreeBuilder::insert_element(const Token& token, Namespace space) {
  if (open_.size() >= options_.max_depth) pop();  // too deep: a sibling instead of a child
  Node* node = make_element(token, space);
  attach(node, place());
  push(node);
  return node;
}

Node* TreeBuilder::insert_tag(Tag tag) {
  Token token;
  token.tag = tag;
  token.name = tag_name(tag);
  return insert_element(token);
}

void TreeBuilder::insert_text(std::string_view text) {
  if (text.empty()) return;
  Place at = place();
  if (at.parent->type == NodeType::document) return;
  Node* last = at.before != nullptr ? at.before->previous : at.parent->last_child;
  if (last == nullptr || last->type != NodeType::text) {
    Node* node = make_node(NodeType::text);
    node->text = text;
    attach(node, at);
    return;
  }
  if (last->text_capacity < last->text.size() + text.size()) {  // grows by doubling: many small pieces stay linear
    size_t capacity = std::min<size_t>((last->text.size() + text.size()) * 2, UINT32_MAX);
    if (capacity < last->text.size() + text.size()) return;
    char* room = arena_.chars(capacity);
    std::memcpy(room, last->text.data(), last->text.size());
    last->text = {room, last->text.size()};
    last->text_capacity = static_cast<uint32_t>(capacity);
  }
  std::memcpy(const_cast<char*>(last->text.data()) + last->text.size(), text.data(), text.size());
  last->text = {last->text.data(), last->text.size() + text.size()};
}

void TreeBuilder::insert_comment(const Token& token, Node* parent) {
  Node* node = make_node(NodeType::comment);
  node->text = token.text;
  attach(node, parent != nullptr ? Place{parent, nullptr} : place());
}

void TreeBuilder::insert_void(Token& token) {
  insert_element(token);
  pop();
}

void TreeBuilder::insert_raw(Token& token, HtmlTokenizer::State state) {
  insert_element(token);
  tokenizer_.set_state(state, token.name);
  original_mode_ = mode_;
  mode_ = Mode::text;
}

// Splits leading white space off a run of characters; true where something else is left.
bool TreeBuilder::leading_space(Token& token, std::string_view& space) {
  size_t count = 0;
  while (count < token.text.size() && is_html_space(token.text[count])) ++count;
  space = token.text.substr(0, count);
  token.text.remove_prefix(count);
  return !token.text.empty();
}

void TreeBuilder::insert_leading_space(Token& token) {
  std::string_view space;
  leading_space(token, space);
  insert_text(space);
}

void TreeBuilder::merge_attributes(Node* element, const Token& token) {
  for (Attribute* a = token.attributes; a != nullptr;) {
    Attribute* next = a->next;
    if (element->attribute(a->name).data() == nullptr) {
      a->next = element->attributes;
      element->attributes = a;
    }
    a = next;
  }
}

}  // namespace llmkit::text
