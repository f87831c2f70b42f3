// Tree construction (HTML standard, 13.2.6): the insertion modes, the stack of open elements, the list of active
// formatting elements. One function a mode; html_tree_builder.cpp has the driver and the nodes, html_open_elements.cpp
// the stack, html_modes_*.cpp the modes, html_formatting.cpp the adoption agency, html_foreign.cpp SVG and MathML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/html_dom.h"
#include "text/html_tokenizer.h"

namespace llmkit::text {

class TreeBuilder {
 public:
  TreeBuilder(HtmlDocument& document, const HtmlOptions& options);
  void run();

 private:
  enum class Mode : uint8_t {
    initial,
    before_html,
    before_head,
    in_head,
    in_head_noscript,
    after_head,
    in_body,
    text,
    in_table,
    in_table_text,
    in_caption,
    in_column_group,
    in_table_body,
    in_row,
    in_cell,
    in_template,
    after_body,
    in_frameset,
    after_frameset,
    after_after_body,
    after_after_frameset
  };
  struct Place {
    Node* parent;
    Node* before;  // nullptr: at the end
  };

  // The driver.
  void start_fragment(std::string_view context);
  void process(Token& token);                   // foreign content or the current mode
  void process_in(Mode mode, Token& token);     // "using the rules for"
  void again(Token& token) { process(token); }  // reprocess after the mode changed
  bool foreign_rules_apply(const Token& token) const;

  // The modes.
  void initial(Token& token);
  void before_html(Token& token);
  void before_head(Token& token);
  void in_head(Token& token);
  void in_head_noscript(Token& token);
  void after_head(Token& token);
  void in_body(Token& token);
  void body_start_tag(Token& token);
  void body_end_tag(Token& token);
  void text(Token& token);
  void in_table(Token& token);
  void in_table_text(Token& token);
  void flush_table_text();
  void in_caption(Token& token);
  void in_column_group(Token& token);
  void in_table_body(Token& token);
  void in_row(Token& token);
  void in_cell(Token& token);
  void in_template(Token& token);
  void after_body(Token& token);
  void in_frameset(Token& token);
  void after_frameset(Token& token);
  void after_after_body(Token& token);
  void after_after_frameset(Token& token);
  void foreign(Token& token);

  // Nodes.
  Node* make_node(NodeType type);
  Node* make_element(const Token& token, Namespace space);
  Node* clone(const Node* element);
  void attach(Node* node, Place place);
  void detach(Node* node);
  Place place(Node* target = nullptr) const;
  Node* insert_element(const Token& token, Namespace space = Namespace::html);
  Node* insert_tag(Tag tag);
  void insert_text(std::string_view text);
  void insert_comment(const Token& token, Node* parent = nullptr);
  void insert_void(Token& token);
  void insert_raw(Token& token, HtmlTokenizer::State state);
  static bool leading_space(Token& token, std::string_view& space);
  void insert_leading_space(Token& token);
  void merge_attributes(Node* element, const Token& token);

  // The stack of open elements.
  Node* current() const { return open_.back(); }
  Node* adjusted_current() const { return open_.size() == 1 && context_ != nullptr ? context_ : open_.back(); }
  void push(Node* node);
  void pop();
  void pop_until(Tag tag);
  void pop_until(TagSet tags);
  void pop_to_context(TagSet context);
  void remove_open(Node* node);
  bool is_on_stack(Tag tag) const;
  bool in_scope(TagSet wanted, TagSet boundary, bool foreign_boundary) const;
  bool in_scope(Tag tag) const;
  bool in_scope(TagSet tags) const;
  bool in_button_scope(Tag tag) const;
  bool in_list_scope(Tag tag) const;
  bool in_table_scope(TagSet tags) const;
  void implied_end_tags(Tag except = Tag::unknown);
  void implied_end_tags_thoroughly();
  void close_p();
  void close_cell();
  void clear_to_table() { pop_to_context({Tag::table, Tag::template_, Tag::html}); }
  void clear_to_table_body() { pop_to_context({Tag::tbody, Tag::tfoot, Tag::thead, Tag::template_, Tag::html}); }
  void clear_to_row() { pop_to_context({Tag::tr, Tag::template_, Tag::html}); }
  void reset_mode();
  void close_template();

  // Active formatting elements.
  void push_formatting(Node* element);
  void push_marker();
  void clear_to_marker();
  void reconstruct_formatting();
  void remove_formatting(Node* element);
  Node* formatting_after_marker(Tag tag) const;
  void adoption_agency(const Token& token);
  void any_other_end_tag(const Token& token);

  HtmlDocument& document_;
  HtmlOptions options_;
  HtmlTokenizer tokenizer_;
  Arena& arena_;
  std::vector<Node*> open_;
  std::vector<Node*> formatting_;  // nullptr is a marker
  std::vector<Mode> template_modes_;
  std::string table_text_;
  Mode mode_ = Mode::initial;
  Mode original_mode_ = Mode::initial;
  Node* head_ = nullptr;
  Node* form_ = nullptr;
  Node* context_ = nullptr;  // of a fragment
  bool frameset_ok_ = true;
  bool foster_ = false;
  bool skip_newline_ = false;  // the newline right behind <pre>, <listing>, <textarea>
  int64_t clone_budget_ = 0;   // copies of formatting elements that may still be made
};

bool is_html_space(char c);
bool all_html_space(std::string_view text);
bool is_special(const Node* node);
bool is_hidden_input(const Token& token);

// html_foreign.cpp
bool is_mathml_text_point(const Node* node);
bool is_html_integration_point(const Node* node);
std::string_view svg_tag_name(std::string_view lower);
void adjust_foreign_attributes(Attribute* attributes, Namespace space);

}  // namespace llmkit::text
