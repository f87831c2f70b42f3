// The insertion modes of tables and <template>.
#include "text/html_tree_builder.h"

namespace llmkit::text {
namespace {

using Type = Token::Type;

constexpr TagSet kTableParts = {Tag::caption, Tag::col, Tag::colgroup, Tag::tbody, Tag::td,
                                Tag::tfoot,   Tag::th,  Tag::thead,    Tag::tr};

}  // namespace

void TreeBuilder::in_table(Token& token) {
  constexpr TagSet kTextHere = {Tag::table, Tag::tbody, Tag::template_, Tag::tfoot, Tag::thead, Tag::tr};
  auto with_fostering = [&] {
    foster_ = true;
    in_body(token);
    foster_ = false;
  };
  switch (token.type) {
    case Type::characters:
      if (current()->space != Namespace::html || !kTextHere.has(current()->tag)) return with_fostering();
      original_mode_ = mode_;
      mode_ = Mode::in_table_text;
      return in_table_text(token);
    case Type::comment:
      return insert_comment(token);
    case Type::doctype:
      return;
    case Type::end_of_file:
      return in_body(token);
    case Type::start_tag:
      switch (token.tag) {
        case Tag::caption:
          clear_to_table();
          push_marker();
          insert_element(token);
          mode_ = Mode::in_caption;
          return;
        case Tag::colgroup:
        case Tag::col:
          clear_to_table();
          mode_ = Mode::in_column_group;
          if (token.tag == Tag::colgroup) {
            insert_element(token);
          } else {
            insert_tag(Tag::colgroup);
            again(token);
          }
          return;
        case Tag::tbody:
        case Tag::tfoot:
        case Tag::thead:
          clear_to_table();
          insert_element(token);
          mode_ = Mode::in_table_body;
          return;
        case Tag::td:
        case Tag::th:
        case Tag::tr:
          clear_to_table();
          insert_tag(Tag::tbody);
          mode_ = Mode::in_table_body;
          return again(token);
        case Tag::table:
          if (!in_table_scope({Tag::table})) return;
          pop_until(Tag::table);
          reset_mode();
          return again(token);
        case Tag::style:
        case Tag::script:
        case Tag::template_:
          return in_head(token);
        case Tag::input:
          if (!is_hidden_input(token)) return with_fostering();
          return insert_void(token);
        case Tag::form:
          if (form_ != nullptr || is_on_stack(Tag::template_)) return;
          form_ = insert_element(token);
          return pop();
        default:
          return with_fostering();
      }
    case Type::end_tag:
      switch (token.tag) {
        case Tag::table:
          if (!in_table_scope({Tag::table})) return;
          pop_until(Tag::table);
          return reset_mode();
        case Tag::template_:
          return in_head(token);
        case Tag::body:
        case Tag::html:
          return;
        default:
          if (kTableParts.has(token.tag)) return;
          return with_fostering();
      }
  }
}

void TreeBuilder::in_table_text(Token& token) {  // only characters come here; process() flushes before anything else
  for (char c : token.text)
    if (c != '\0') table_text_ += c;
}

void TreeBuilder::flush_table_text() {
  mode_ = original_mode_;
  std::string_view text = arena_.copy(table_text_);
  table_text_.clear();
  if (all_html_space(text)) return insert_text(text);
  Token token;
  token.type = Type::characters;
  token.text = text;
  foster_ = true;
  in_body(token);
  foster_ = false;
}

void TreeBuilder::in_caption(Token& token) {
  bool start = token.type == Type::start_tag, end = token.type == Type::end_tag;
  bool closes = end && token.tag == Tag::caption;
  if (closes || (start && kTableParts.has(token.tag)) || (end && token.tag == Tag::table)) {
    if (!in_table_scope({Tag::caption})) return;
    implied_end_tags();
    pop_until(Tag::caption);
    clear_to_marker();
    mode_ = Mode::in_table;
    if (!closes) again(token);
    return;
  }
  if (end && (kTableParts.has(token.tag) || token.tag == Tag::body || token.tag == Tag::html)) return;
  in_body(token);
}

void TreeBuilder::in_column_group(Token& token) {
  switch (token.type) {
    case Type::characters:
      insert_leading_space(token);
      if (token.text.empty()) return;
      break;
    case Type::comment:
      return insert_comment(token);
    case Type::doctype:
      return;
    case Type::end_of_file:
      return in_body(token);
    case Type::start_tag:
      if (token.tag == Tag::html) return in_body(token);
      if (token.tag == Tag::col) return insert_void(token);
      if (token.tag == Tag::template_) return in_head(token);
      break;
    case Type::end_tag:
      if (token.tag == Tag::template_) return in_head(token);
      if (token.tag == Tag::col) return;
      if (token.tag == Tag::colgroup) {
        if (!current()->is(Tag::colgroup)) return;
        pop();
        mode_ = Mode::in_table;
        return;
      }
      break;
  }
  if (!current()->is(Tag::colgroup)) return;
  pop();
  mode_ = Mode::in_table;
  again(token);
}

void TreeBuilder::in_table_body(Token& token) {
  constexpr TagSet kBodies = {Tag::tbody, Tag::tfoot, Tag::thead};
  if (token.type == Type::start_tag) {
    if (token.tag == Tag::tr) {
      clear_to_table_body();
      insert_element(token);
      mode_ = Mode::in_row;
      return;
    }
    if (token.tag == Tag::th || token.tag == Tag::td) {
      clear_to_table_body();
      insert_tag(Tag::tr);
      mode_ = Mode::in_row;
      return again(token);
    }
    if (!kTableParts.has(token.tag)) return in_table(token);
  } else if (token.type == Type::end_tag) {
    if (kBodies.has(token.tag)) {
      if (!in_table_scope(TagSet{token.tag})) return;
      clear_to_table_body();
      pop();
      mode_ = Mode::in_table;
      return;
    }
    if (token.tag == Tag::body || token.tag == Tag::html || kTableParts.has(token.tag)) return;
    if (token.tag != Tag::table) return in_table(token);
  } else {
    return in_table(token);
  }
  if (!in_table_scope(kBodies)) return;
  clear_to_table_body();
  pop();
  mode_ = Mode::in_table;
  again(token);
}

void TreeBuilder::in_row(Token& token) {
  auto close_row = [&] {
    if (!in_table_scope({Tag::tr})) return false;
    clear_to_row();
    pop();
    mode_ = Mode::in_table_body;
    return true;
  };
  if (token.type == Type::start_tag) {
    if (token.tag == Tag::th || token.tag == Tag::td) {
      clear_to_row();
      insert_element(token);
      mode_ = Mode::in_cell;
      return push_marker();
    }
    if (!kTableParts.has(token.tag)) return in_table(token);
    if (close_row()) again(token);
    return;
  }
  if (token.type != Type::end_tag) return in_table(token);
  switch (token.tag) {
    case Tag::tr:
      close_row();
      return;
    case Tag::table:
      if (close_row()) again(token);
      return;
    case Tag::tbody:
    case Tag::tfoot:
    case Tag::thead:
      if (in_table_scope(TagSet{token.tag}) && close_row()) again(token);
      return;
    case Tag::body:
    case Tag::html:
      return;
    default:
      if (!kTableParts.has(token.tag)) in_table(token);
  }
}

void TreeBuilder::close_cell() {
  implied_end_tags();
  pop_until({Tag::td, Tag::th});
  clear_to_marker();
  mode_ = Mode::in_row;
}

void TreeBuilder::in_cell(Token& token) {
  if (token.type == Type::end_tag) {
    switch (token.tag) {
      case Tag::td:
      case Tag::th:
        if (!in_table_scope(TagSet{token.tag})) return;
        implied_end_tags();
        pop_until(token.tag);
        clear_to_marker();
        mode_ = Mode::in_row;
        return;
      case Tag::body:
      case Tag::caption:
      case Tag::col:
      case Tag::colgroup:
      case Tag::html:
        return;
      case Tag::table:
      case Tag::tbody:
      case Tag::tfoot:
      case Tag::thead:
      case Tag::tr:
        if (!in_table_scope(TagSet{token.tag})) return;
        close_cell();
        return again(token);
      default:
        return in_body(token);
    }
  }
  if (token.type == Type::start_tag && kTableParts.has(token.tag)) {
    if (!in_table_scope({Tag::td, Tag::th})) return;
    close_cell();
    return again(token);
  }
  in_body(token);
}

void TreeBuilder::in_template(Token& token) {
  constexpr TagSet kHead = {Tag::base,     Tag::basefont, Tag::bgsound, Tag::link,      Tag::meta,
                            Tag::noframes, Tag::script,   Tag::style,   Tag::template_, Tag::title};
  auto switch_to = [&](Mode mode) {
    if (!template_modes_.empty()) template_modes_.back() = mode;
    mode_ = mode;
    again(token);
  };
  switch (token.type) {
    case Type::characters:
    case Type::comment:
    case Type::doctype:
      return in_body(token);
    case Type::start_tag:
      if (kHead.has(token.tag)) return in_head(token);
      switch (token.tag) {
        case Tag::caption:
        case Tag::colgroup:
        case Tag::tbody:
        case Tag::tfoot:
        case Tag::thead:
          return switch_to(Mode::in_table);
        case Tag::col:
          return switch_to(Mode::in_column_group);
        case Tag::tr:
          return switch_to(Mode::in_table_body);
        case Tag::td:
        case Tag::th:
          return switch_to(Mode::in_row);
        default:
          return switch_to(Mode::in_body);
      }
    case Type::end_tag:
      if (token.tag == Tag::template_) in_head(token);
      return;
    case Type::end_of_file:
      if (!is_on_stack(Tag::template_)) return;
      close_template();
      again(token);
  }
}

}  // namespace llmkit::text
