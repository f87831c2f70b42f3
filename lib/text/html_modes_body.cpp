// The insertion mode "in body": nearly everything of a page goes through it.
#include <algorithm>
#include <cstring>

#include "text/html_tree_builder.h"

namespace llmkit::text {
namespace {

using Type = Token::Type;

constexpr TagSet kHeadings = {Tag::h1, Tag::h2, Tag::h3, Tag::h4, Tag::h5, Tag::h6};

}  // namespace

void TreeBuilder::in_body(Token& token) {
  switch (token.type) {
    case Type::characters: {
      if (token.text.empty()) return;
      if (std::memchr(token.text.data(), '\0', token.text.size()) != nullptr) {
        std::string kept(token.text);
        std::erase(kept, '\0');
        token.text = arena_.copy(kept);
        if (kept.empty()) return;
      }
      reconstruct_formatting();
      insert_text(token.text);
      if (frameset_ok_ && !all_html_space(token.text)) frameset_ok_ = false;
      return;
    }
    case Type::comment:
      return insert_comment(token);
    case Type::doctype:
      return;
    case Type::start_tag:
      return body_start_tag(token);
    case Type::end_tag:
      return body_end_tag(token);
    case Type::end_of_file:
      if (!template_modes_.empty()) in_template(token);
      return;
  }
}

void TreeBuilder::body_start_tag(Token& token) {
  auto block = [&] {
    if (in_button_scope(Tag::p)) close_p();
    insert_element(token);
  };
  switch (token.tag) {
    case Tag::html:
      if (!is_on_stack(Tag::template_)) merge_attributes(open_.front(), token);
      return;
    case Tag::base:
    case Tag::basefont:
    case Tag::bgsound:
    case Tag::link:
    case Tag::meta:
    case Tag::noframes:
    case Tag::script:
    case Tag::style:
    case Tag::template_:
    case Tag::title:
      return in_head(token);
    case Tag::body:
      if (open_.size() < 2 || !open_[1]->is(Tag::body) || is_on_stack(Tag::template_)) return;
      frameset_ok_ = false;
      return merge_attributes(open_[1], token);
    case Tag::frameset:
      if (open_.size() < 2 || !open_[1]->is(Tag::body) || !frameset_ok_) return;
      detach(open_[1]);
      while (open_.size() > 1) pop();
      insert_element(token);
      mode_ = Mode::in_frameset;
      return;
    case Tag::address:
    case Tag::article:
    case Tag::aside:
    case Tag::blockquote:
    case Tag::center:
    case Tag::details:
    case Tag::dialog:
    case Tag::dir:
    case Tag::div:
    case Tag::dl:
    case Tag::fieldset:
    case Tag::figcaption:
    case Tag::figure:
    case Tag::footer:
    case Tag::header:
    case Tag::hgroup:
    case Tag::main:
    case Tag::menu:
    case Tag::nav:
    case Tag::ol:
    case Tag::p:
    case Tag::search:
    case Tag::section:
    case Tag::summary:
    case Tag::ul:
      return block();
    case Tag::h1:
    case Tag::h2:
    case Tag::h3:
    case Tag::h4:
    case Tag::h5:
    case Tag::h6:
      if (in_button_scope(Tag::p)) close_p();
      if (current()->space == Namespace::html && kHeadings.has(current()->tag)) pop();
      insert_element(token);
      return;
    case Tag::pre:
    case Tag::listing:
      block();
      skip_newline_ = true;
      frameset_ok_ = false;
      return;
    case Tag::form: {
      bool in_template_content = is_on_stack(Tag::template_);
      if (form_ != nullptr && !in_template_content) return;
      block();
      if (!in_template_content) form_ = current();
      return;
    }
    case Tag::li:
    case Tag::dd:
    case Tag::dt: {
      frameset_ok_ = false;
      for (size_t i = open_.size(); i-- > 1;) {
        Node* node = open_[i];
        bool same = token.tag == Tag::li ? node->is(Tag::li) : node->is(Tag::dd) || node->is(Tag::dt);
        if (same) {
          Tag closed = node->tag;
          implied_end_tags(closed);
          pop_until(closed);
          break;
        }
        if (is_special(node) && !node->is(Tag::address) && !node->is(Tag::div) && !node->is(Tag::p)) break;
      }
      return block();
    }
    case Tag::plaintext:
      block();
      return tokenizer_.set_state(HtmlTokenizer::State::plaintext, {});
    case Tag::button:
      if (in_scope(Tag::button)) {
        implied_end_tags();
        pop_until(Tag::button);
      }
      reconstruct_formatting();
      insert_element(token);
      frameset_ok_ = false;
      return;
    case Tag::a:
      if (Node* open = formatting_after_marker(Tag::a)) {
        adoption_agency(token);
        remove_formatting(open);
        if (open->open) remove_open(open);
      }
      reconstruct_formatting();
      return push_formatting(insert_element(token));
    case Tag::b:
    case Tag::big:
    case Tag::code:
    case Tag::em:
    case Tag::font:
    case Tag::i:
    case Tag::s:
    case Tag::small:
    case Tag::strike:
    case Tag::strong:
    case Tag::tt:
    case Tag::u:
      reconstruct_formatting();
      return push_formatting(insert_element(token));
    case Tag::nobr:
      reconstruct_formatting();
      if (in_scope(Tag::nobr)) {
        adoption_agency(token);
        reconstruct_formatting();
      }
      return push_formatting(insert_element(token));
    case Tag::applet:
    case Tag::marquee:
    case Tag::object:
      reconstruct_formatting();
      insert_element(token);
      push_marker();
      frameset_ok_ = false;
      return;
    case Tag::table:
      if (!document_.quirks && in_button_scope(Tag::p)) close_p();
      insert_element(token);
      frameset_ok_ = false;
      mode_ = Mode::in_table;
      return;
    case Tag::area:
    case Tag::br:
    case Tag::embed:
    case Tag::img:
    case Tag::keygen:
    case Tag::wbr:
      reconstruct_formatting();
      insert_void(token);
      frameset_ok_ = false;
      return;
    case Tag::input:
      if (context_ != nullptr && context_->is(Tag::select)) return;
      if (in_scope(Tag::select)) pop_until(Tag::select);
      reconstruct_formatting();
      insert_void(token);
      if (!is_hidden_input(token)) frameset_ok_ = false;
      return;
    case Tag::param:
    case Tag::source:
    case Tag::track:
      return insert_void(token);
    case Tag::hr:
      if (in_button_scope(Tag::p)) close_p();
      if (in_scope(Tag::select)) implied_end_tags();
      insert_void(token);
      frameset_ok_ = false;
      return;
    case Tag::image:
      token.tag = Tag::img;
      token.name = "img";
      return body_start_tag(token);
    case Tag::textarea:
      insert_raw(token, HtmlTokenizer::State::rcdata);
      skip_newline_ = true;
      frameset_ok_ = false;
      return;
    case Tag::xmp:
      if (in_button_scope(Tag::p)) close_p();
      reconstruct_formatting();
      frameset_ok_ = false;
      return insert_raw(token, HtmlTokenizer::State::rawtext);
    case Tag::iframe:
      frameset_ok_ = false;
      return insert_raw(token, HtmlTokenizer::State::rawtext);
    case Tag::noembed:
      return insert_raw(token, HtmlTokenizer::State::rawtext);
    case Tag::noscript:
      if (options_.scripting) return insert_raw(token, HtmlTokenizer::State::rawtext);
      break;
    case Tag::select:
      if (context_ != nullptr && context_->is(Tag::select)) return;
      if (in_scope(Tag::select)) return pop_until(Tag::select);
      reconstruct_formatting();
      insert_element(token);
      frameset_ok_ = false;
      return;
    case Tag::option:
      if (in_scope(Tag::select))
        implied_end_tags(Tag::optgroup);
      else if (current()->is(Tag::option))
        pop();
      break;
    case Tag::optgroup:
      if (in_scope(Tag::select))
        implied_end_tags();
      else if (current()->is(Tag::option))
        pop();
      break;
    case Tag::rb:
    case Tag::rtc:
      if (in_scope(Tag::ruby)) implied_end_tags();
      insert_element(token);
      return;
    case Tag::rp:
    case Tag::rt:
      if (in_scope(Tag::ruby)) implied_end_tags(Tag::rtc);
      insert_element(token);
      return;
    case Tag::math:
    case Tag::svg:
      reconstruct_formatting();
      insert_element(token, token.tag == Tag::svg ? Namespace::svg : Namespace::mathml);
      if (token.self_closing) pop();
      return;
    case Tag::caption:
    case Tag::col:
    case Tag::colgroup:
    case Tag::frame:
    case Tag::head:
    case Tag::tbody:
    case Tag::td:
    case Tag::tfoot:
    case Tag::th:
    case Tag::thead:
    case Tag::tr:
      return;
    default:
      break;
  }
  reconstruct_formatting();
  insert_element(token);
}

void TreeBuilder::body_end_tag(Token& token) {
  switch (token.tag) {
    case Tag::template_:
      return in_head(token);
    case Tag::body:
    case Tag::html:
      if (!in_scope(Tag::body)) return;
      mode_ = Mode::after_body;
      if (token.tag == Tag::html) again(token);
      return;
    case Tag::address:
    case Tag::article:
    case Tag::aside:
    case Tag::blockquote:
    case Tag::button:
    case Tag::center:
    case Tag::details:
    case Tag::dialog:
    case Tag::dir:
    case Tag::div:
    case Tag::dl:
    case Tag::fieldset:
    case Tag::figcaption:
    case Tag::figure:
    case Tag::footer:
    case Tag::header:
    case Tag::hgroup:
    case Tag::listing:
    case Tag::main:
    case Tag::menu:
    case Tag::nav:
    case Tag::ol:
    case Tag::pre:
    case Tag::search:
    case Tag::section:
    case Tag::select:
    case Tag::summary:
    case Tag::ul:
      if (!in_scope(token.tag)) return;
      implied_end_tags();
      return pop_until(token.tag);
    case Tag::form: {
      if (is_on_stack(Tag::template_)) {
        if (!in_scope(Tag::form)) return;
        implied_end_tags();
        return pop_until(Tag::form);
      }
      Node* form = form_;
      form_ = nullptr;
      if (form == nullptr || !form->open || !in_scope(Tag::form)) return;
      implied_end_tags();
      return remove_open(form);
    }
    case Tag::p:
      if (!in_button_scope(Tag::p)) insert_tag(Tag::p);
      return close_p();
    case Tag::li:
      if (!in_list_scope(Tag::li)) return;
      implied_end_tags(Tag::li);
      return pop_until(Tag::li);
    case Tag::dd:
    case Tag::dt:
      if (!in_scope(token.tag)) return;
      implied_end_tags(token.tag);
      return pop_until(token.tag);
    case Tag::h1:
    case Tag::h2:
    case Tag::h3:
    case Tag::h4:
    case Tag::h5:
    case Tag::h6:
      if (!in_scope(kHeadings)) return;
      implied_end_tags();
      return pop_until(kHeadings);
    case Tag::a:
    case Tag::b:
    case Tag::big:
    case Tag::code:
    case Tag::em:
    case Tag::font:
    case Tag::i:
    case Tag::nobr:
    case Tag::s:
    case Tag::small:
    case Tag::strike:
    case Tag::strong:
    case Tag::tt:
    case Tag::u:
      return adoption_agency(token);
    case Tag::applet:
    case Tag::marquee:
    case Tag::object:
      if (!in_scope(token.tag)) return;
      implied_end_tags();
      pop_until(token.tag);
      return clear_to_marker();
    case Tag::br: {
      Token br;
      br.type = Type::start_tag;
      br.tag = Tag::br;
      br.name = "br";
      return body_start_tag(br);
    }
    default:
      return any_other_end_tag(token);
  }
}

}  // namespace llmkit::text
