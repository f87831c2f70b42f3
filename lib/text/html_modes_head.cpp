// The insertion modes before, in and after <head>, of raw text, after <body> and of framesets.
#include <algorithm>

#include "text/html_tree_builder.h"

namespace llmkit::text {
namespace {

using Type = Token::Type;

constexpr std::string_view kQuirksPrefixes[] = {
    "+//silmaril//dtd html pro v0r11 19970101//",
    "-//as//dtd html 3.0 aswedit + extensions//",
    "-//advasoft ltd//dtd html 3.0 aswedit + extensions//",
    "-//ietf//dtd html 2.0 level 1//",
    "-//ietf//dtd html 2.0 level 2//",
    "-//ietf//dtd html 2.0 strict level 1//",
    "-//ietf//dtd html 2.0 strict level 2//",
    "-//ietf//dtd html 2.0 strict//",
    "-//ietf//dtd html 2.0//",
    "-//ietf//dtd html 2.1e//",
    "-//ietf//dtd html 3.0//",
    "-//ietf//dtd html 3.2 final//",
    "-//ietf//dtd html 3.2//",
    "-//ietf//dtd html 3//",
    "-//ietf//dtd html level 0//",
    "-//ietf//dtd html level 1//",
    "-//ietf//dtd html level 2//",
    "-//ietf//dtd html level 3//",
    "-//ietf//dtd html strict level 0//",
    "-//ietf//dtd html strict level 1//",
    "-//ietf//dtd html strict level 2//",
    "-//ietf//dtd html strict level 3//",
    "-//ietf//dtd html strict//",
    "-//ietf//dtd html//",
    "-//metrius//dtd metrius presentational//",
    "-//microsoft//dtd internet explorer 2.0 html strict//",
    "-//microsoft//dtd internet explorer 2.0 html//",
    "-//microsoft//dtd internet explorer 2.0 tables//",
    "-//microsoft//dtd internet explorer 3.0 html strict//",
    "-//microsoft//dtd internet explorer 3.0 html//",
    "-//microsoft//dtd internet explorer 3.0 tables//",
    "-//netscape comm. corp.//dtd html//",
    "-//netscape comm. corp.//dtd strict html//",
    "-//o'reilly and associates//dtd html 2.0//",
    "-//o'reilly and associates//dtd html extended 1.0//",
    "-//o'reilly and associates//dtd html extended relaxed 1.0//",
    "-//sq//dtd html 2.0 hotmetal + extensions//",
    "-//softquad software//dtd hotmetal pro 6.0::19990601::extensions to html 4.0//",
    "-//softquad//dtd hotmetal pro 4.0::19971010::extensions to html 4.0//",
    "-//spyglass//dtd html 2.0 extended//",
    "-//sun microsystems corp.//dtd hotjava html//",
    "-//sun microsystems corp.//dtd hotjava strict html//",
    "-//w3c//dtd html 3 1995-03-24//",
    "-//w3c//dtd html 3.2 draft//",
    "-//w3c//dtd html 3.2 final//",
    "-//w3c//dtd html 3.2//",
    "-//w3c//dtd html 3.2s draft//",
    "-//w3c//dtd html 4.0 frameset//",
    "-//w3c//dtd html 4.0 transitional//",
    "-//w3c//dtd html experimental 19960712//",
    "-//w3c//dtd html experimental 970421//",
    "-//w3c//dtd w3 html//",
    "-//w3o//dtd w3 html 3.0//",
    "-//webtechs//dtd mozilla html 2.0//",
    "-//webtechs//dtd mozilla html//"};

bool is_quirky(const Token& token) {
  auto lower = [](std::string_view s) {
    std::string out(s);
    for (char& c : out)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
  };
  if (token.force_quirks || token.name != "html") return true;
  std::string id = lower(token.public_id);
  if (id == "-//w3o//dtd w3 html strict 3.0//en//" || id == "-/w3c/dtd html 4.0 transitional/en" || id == "html")
    return true;
  if (lower(token.system_id) == "http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd") return true;
  for (std::string_view prefix : kQuirksPrefixes)
    if (id.starts_with(prefix)) return true;
  return !token.has_system &&
         (id.starts_with("-//w3c//dtd html 4.01 frameset//") || id.starts_with("-//w3c//dtd html 4.01 transitional//"));
}

}  // namespace

void TreeBuilder::initial(Token& token) {
  if (token.type == Type::characters) {
    std::string_view space;
    if (!leading_space(token, space)) return;
  }
  if (token.type == Type::comment) return insert_comment(token, document_.root);
  if (token.type == Type::doctype) {
    Node* node = make_node(NodeType::doctype);
    node->name = token.name;
    if (token.has_public || token.has_system) {
      node->attributes = arena_.make<Attribute>(std::string_view("public"), token.public_id);
      node->attributes->next = arena_.make<Attribute>(std::string_view("system"), token.system_id);
    }
    attach(node, {document_.root, nullptr});
    document_.quirks = is_quirky(token);
    mode_ = Mode::before_html;
    return;
  }
  document_.quirks = true;
  mode_ = Mode::before_html;
  again(token);
}

void TreeBuilder::before_html(Token& token) {
  if (token.type == Type::doctype) return;
  if (token.type == Type::comment) return insert_comment(token, document_.root);
  if (token.type == Type::characters) {
    std::string_view space;
    if (!leading_space(token, space)) return;
  }
  Token html;
  html.tag = Tag::html;
  html.name = "html";
  bool own = token.type == Type::start_tag && token.tag == Tag::html;
  if (token.type == Type::end_tag && token.tag != Tag::head && token.tag != Tag::body && token.tag != Tag::html &&
      token.tag != Tag::br)
    return;
  Node* root = make_element(own ? token : html, Namespace::html);
  attach(root, {document_.root, nullptr});
  push(root);
  mode_ = Mode::before_head;
  if (!own) again(token);
}

void TreeBuilder::before_head(Token& token) {
  switch (token.type) {
    case Type::characters: {
      std::string_view space;
      if (!leading_space(token, space)) return;
      break;
    }
    case Type::comment:
      return insert_comment(token);
    case Type::doctype:
      return;
    case Type::start_tag:
      if (token.tag == Tag::html) return in_body(token);
      if (token.tag == Tag::head) {
        head_ = insert_element(token);
        mode_ = Mode::in_head;
        return;
      }
      break;
    case Type::end_tag:
      if (token.tag != Tag::head && token.tag != Tag::body && token.tag != Tag::html && token.tag != Tag::br) return;
      break;
    case Type::end_of_file:
      break;
  }
  head_ = insert_tag(Tag::head);
  mode_ = Mode::in_head;
  again(token);
}

void TreeBuilder::in_head(Token& token) {
  switch (token.type) {
    case Type::characters:
      insert_leading_space(token);
      if (token.text.empty()) return;
      break;
    case Type::comment:
      return insert_comment(token);
    case Type::doctype:
      return;
    case Type::start_tag:
      switch (token.tag) {
        case Tag::html:
          return in_body(token);
        case Tag::base:
        case Tag::basefont:
        case Tag::bgsound:
        case Tag::link:
        case Tag::meta:
          return insert_void(token);
        case Tag::title:
          return insert_raw(token, HtmlTokenizer::State::rcdata);
        case Tag::noscript:
          if (options_.scripting) return insert_raw(token, HtmlTokenizer::State::rawtext);
          insert_element(token);
          mode_ = Mode::in_head_noscript;
          return;
        case Tag::noframes:
        case Tag::style:
          return insert_raw(token, HtmlTokenizer::State::rawtext);
        case Tag::script:
          return insert_raw(token, HtmlTokenizer::State::script);
        case Tag::template_:
          insert_element(token);
          push_marker();
          frameset_ok_ = false;
          mode_ = Mode::in_template;
          template_modes_.push_back(Mode::in_template);
          return;
        case Tag::head:
          return;
        default:
          break;
      }
      break;
    case Type::end_tag:
      if (token.tag == Tag::template_) return close_template();
      if (token.tag == Tag::head) {
        pop();
        mode_ = Mode::after_head;
        return;
      }
      if (token.tag != Tag::body && token.tag != Tag::html && token.tag != Tag::br) return;
      break;
    case Type::end_of_file:
      break;
  }
  pop();
  mode_ = Mode::after_head;
  again(token);
}

void TreeBuilder::in_head_noscript(Token& token) {
  constexpr TagSet kHead = {Tag::basefont, Tag::bgsound, Tag::link, Tag::meta, Tag::noframes, Tag::style};
  if (token.type == Type::doctype) return;
  if (token.type == Type::comment || (token.type == Type::start_tag && kHead.has(token.tag))) return in_head(token);
  if (token.type == Type::characters) {
    insert_leading_space(token);
    if (token.text.empty()) return;
  }
  if (token.type == Type::start_tag && token.tag == Tag::html) return in_body(token);
  if (token.type == Type::start_tag && (token.tag == Tag::head || token.tag == Tag::noscript)) return;
  if (token.type == Type::end_tag && token.tag != Tag::noscript && token.tag != Tag::br) return;
  pop();
  mode_ = Mode::in_head;
  if (!(token.type == Type::end_tag && token.tag == Tag::noscript)) again(token);
}

void TreeBuilder::after_head(Token& token) {
  constexpr TagSet kHead = {Tag::base,     Tag::basefont, Tag::bgsound, Tag::link,      Tag::meta,
                            Tag::noframes, Tag::script,   Tag::style,   Tag::template_, Tag::title};
  switch (token.type) {
    case Type::characters:
      insert_leading_space(token);
      if (token.text.empty()) return;
      break;
    case Type::comment:
      return insert_comment(token);
    case Type::doctype:
      return;
    case Type::start_tag:
      if (token.tag == Tag::html) return in_body(token);
      if (token.tag == Tag::body) {
        insert_element(token);
        frameset_ok_ = false;
        mode_ = Mode::in_body;
        return;
      }
      if (token.tag == Tag::frameset) {
        insert_element(token);
        mode_ = Mode::in_frameset;
        return;
      }
      if (kHead.has(token.tag) && head_ != nullptr) {
        push(head_);
        in_head(token);
        remove_open(head_);
        return;
      }
      if (token.tag == Tag::head) return;
      break;
    case Type::end_tag:
      if (token.tag == Tag::template_) return in_head(token);
      if (token.tag != Tag::body && token.tag != Tag::html && token.tag != Tag::br) return;
      break;
    case Type::end_of_file:
      break;
  }
  insert_tag(Tag::body);
  mode_ = Mode::in_body;
  again(token);
}

void TreeBuilder::text(Token& token) {
  if (token.type == Type::characters) return insert_text(token.text);
  pop();
  mode_ = original_mode_;
  if (token.type == Type::end_of_file) again(token);
}

void TreeBuilder::after_body(Token& token) {
  if (token.type == Type::characters && all_html_space(token.text)) return in_body(token);
  if (token.type == Type::comment) return insert_comment(token, open_.front());
  if (token.type == Type::doctype || token.type == Type::end_of_file) return;
  if (token.type == Type::start_tag && token.tag == Tag::html) return in_body(token);
  if (token.type == Type::end_tag && token.tag == Tag::html) {
    if (context_ == nullptr) mode_ = Mode::after_after_body;
    return;
  }
  mode_ = Mode::in_body;
  again(token);
}

void TreeBuilder::after_after_body(Token& token) {
  if (token.type == Type::comment) return insert_comment(token, document_.root);
  if (token.type == Type::doctype || (token.type == Type::characters && all_html_space(token.text)) ||
      (token.type == Type::start_tag && token.tag == Tag::html))
    return in_body(token);
  if (token.type == Type::end_of_file) return;
  mode_ = Mode::in_body;
  again(token);
}

void TreeBuilder::in_frameset(Token& token) {
  switch (token.type) {
    case Type::characters:
      for (char& c : std::string(token.text))
        if (is_html_space(c)) insert_text(arena_.copy({&c, 1}));
      return;
    case Type::comment:
      return insert_comment(token);
    case Type::start_tag:
      if (token.tag == Tag::html) return in_body(token);
      if (token.tag == Tag::frameset) insert_element(token);
      if (token.tag == Tag::frame) insert_void(token);
      if (token.tag == Tag::noframes) in_head(token);
      return;
    case Type::end_tag:
      if (token.tag != Tag::frameset || open_.size() <= 1) return;
      pop();
      if (context_ == nullptr && !current()->is(Tag::frameset)) mode_ = Mode::after_frameset;
      return;
    default:
      return;
  }
}

void TreeBuilder::after_frameset(Token& token) {
  if (token.type == Type::characters || token.type == Type::comment) return in_frameset(token);
  if (token.type == Type::start_tag && token.tag == Tag::html) return in_body(token);
  if (token.type == Type::end_tag && token.tag == Tag::html) mode_ = Mode::after_after_frameset;
  if (token.type == Type::start_tag && token.tag == Tag::noframes) in_head(token);
}

void TreeBuilder::after_after_frameset(Token& token) {
  if (token.type == Type::comment) return insert_comment(token, document_.root);
  if (token.type == Type::characters) {
    std::string kept;
    for (char c : token.text)
      if (is_html_space(c)) kept += c;
    token.text = arena_.copy(kept);
    if (!kept.empty()) in_body(token);
    return;
  }
  if (token.type == Type::start_tag && token.tag == Tag::html) return in_body(token);
  if (token.type == Type::start_tag && token.tag == Tag::noframes) in_head(token);
}

}  // namespace llmkit::text
