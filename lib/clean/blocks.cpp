#include "clean/blocks.h"

#include <algorithm>
#include <array>

#include "text/html_tags.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace llmkit::clean {
namespace {

using text::Node;
using text::NodeType;
using text::Tag;
using text::TagSet;

constexpr TagSet kNoText = {Tag::script,   Tag::style,    Tag::template_, Tag::head,     Tag::iframe,  Tag::object,
                            Tag::embed,    Tag::audio,    Tag::video,     Tag::canvas,   Tag::map,     Tag::select,
                            Tag::datalist, Tag::textarea, Tag::svg,       Tag::noframes, Tag::noembed, Tag::applet,
                            Tag::meter,    Tag::progress, Tag::picture,   Tag::img,      Tag::input,   Tag::title};
constexpr TagSet kBlockLevel = {Tag::address, Tag::article, Tag::aside,     Tag::blockquote, Tag::body,    Tag::caption,
                                Tag::center,  Tag::dd,      Tag::details,   Tag::dialog,     Tag::dir,     Tag::div,
                                Tag::dl,      Tag::dt,      Tag::fieldset,  Tag::figcaption, Tag::figure,  Tag::footer,
                                Tag::form,    Tag::h1,      Tag::h2,        Tag::h3,         Tag::h4,      Tag::h5,
                                Tag::h6,      Tag::header,  Tag::hgroup,    Tag::hr,         Tag::legend,  Tag::li,
                                Tag::listing, Tag::main,    Tag::menu,      Tag::nav,        Tag::ol,      Tag::option,
                                Tag::p,       Tag::pre,     Tag::search,    Tag::section,    Tag::summary, Tag::table,
                                Tag::tbody,   Tag::td,      Tag::tfoot,     Tag::th,         Tag::thead,   Tag::tr,
                                Tag::ul,      Tag::xmp,     Tag::plaintext, Tag::button,     Tag::label};
constexpr TagSet kLists = {Tag::ul, Tag::ol, Tag::menu, Tag::dir};
constexpr uint32_t kMaxCellWords = 60;  // a table with a longer cell is layout, not data

bool ascii_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\f' || c == '\r';
}

bool contains_nocase(std::string_view text, std::string_view lower) {
  return std::search(text.begin(), text.end(), lower.begin(), lower.end(),
                     [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; }) != text.end();
}

// Walks the body once and cuts blocks.
class Splitter {
 public:
  Splitter(const text::HtmlDocument& document, PageBlocks& page) : page_(page) {
    page_.subtree.resize(document.nodes);
    words_.resize(document.nodes);
  }

  void run(const Node* body) {
    measure(body);
    const Node* node = body;
    while (node != nullptr) {
      bool inside = node->type == NodeType::element ? enter(*node) : text_node(*node);
      if (inside && node->first_child != nullptr) {
        node = node->first_child;
        continue;
      }
      if (inside) leave(*node);
      while (node != body && node->next == nullptr) {
        node = node->parent;
        leave(*node);
      }
      node = node == body ? nullptr : node->next;
    }
    flush();
    add_up(body);
  }

 private:
  static bool skipped(const Node& n) {
    return n.type == NodeType::comment || n.type == NodeType::doctype ||
           (n.type == NodeType::element &&
            ((n.space == text::Namespace::svg) || (n.space == text::Namespace::html && kNoText.has(n.tag))));
  }

  // Words of each element's subtree, to know data tables before their rows are cut.
  void measure(const Node* body) {
    std::vector<const Node*> order;
    for (const Node* n = body; n != nullptr;) {
      if (n->type == NodeType::text) words_[n->id] = count_words(n->text);
      if (n->type == NodeType::element) order.push_back(n);
      bool skip = skipped(*n);
      if (n->type == NodeType::text && n->parent != nullptr) words_[n->parent->id] += words_[n->id];
      n = skip ? text::next_after_subtree(n, body) : text::next_in_order(n, body);
    }
    for (size_t i = order.size(); i-- > 1;) words_[order[i]->parent->id] += words_[order[i]->id];
  }

  bool is_data_table(const Node& table) const {
    uint32_t rows = 0, cells = 0;
    for (const Node* n = text::next_in_order(&table, &table); n != nullptr; n = text::next_in_order(n, &table)) {
      if (n->is(Tag::table) || n->is(Tag::form)) return false;
      if (n->is(Tag::tr)) ++rows;
      if (n->is(Tag::td) || n->is(Tag::th)) {
        ++cells;
        if (words_[n->id] > kMaxCellWords) return false;
      }
    }
    return rows > 0 && cells >= 2 * rows;
  }

  bool enter(const Node& n) {
    if (skipped(n)) return false;
    if (n.space != text::Namespace::html) return true;
    switch (n.tag) {
      case Tag::br:
        if (in_code_ > 0)
          text_ += '\n';
        else if (pending_breaks_++ > 0)
          flush();
        else
          pending_space_ = true;
        return false;
      case Tag::wbr:
        return false;
      case Tag::a:
        ++in_link_;
        ++links_;
        break;
      case Tag::pre:
      case Tag::listing:
      case Tag::xmp:
        flush();
        ++in_code_;
        break;
      case Tag::table:
        flush();
        if (is_data_table(n)) data_table_ = &n;
        break;
      case Tag::td:
      case Tag::th:
        if (data_table_ != nullptr) {
          if (row_cells_++ > 0) text_ += text_.empty() ? "| " : " | ";
          pending_space_ = false;
          row_head_ = row_head_ && n.tag == Tag::th;
          return true;
        }
        break;
      case Tag::tr:
        flush();
        row_cells_ = 0;
        row_head_ = true;
        break;
      default:
        break;
    }
    if (kBlockLevel.has(n.tag)) {
      if (data_table_ != nullptr && row_cells_ > 0)
        pending_space_ = true;  // inside a row nothing cuts
      else
        flush();
      if (kLists.has(n.tag)) ++list_depth_;
      if (n.tag == Tag::li) item_started_ = false;
    }
    return true;
  }

  void leave(const Node& n) {
    if (n.type != NodeType::element || n.space != text::Namespace::html) return;
    if (n.tag == Tag::a && in_link_ > 0) --in_link_;
    bool in_row = data_table_ != nullptr && row_cells_ > 0;
    if (n.tag == Tag::tr && in_row) {
      flush();
      row_cells_ = 0;
    } else if (kBlockLevel.has(n.tag)) {
      if (in_row)
        pending_space_ = true;
      else
        flush();
    }
    if (kLists.has(n.tag) && list_depth_ > 0) --list_depth_;
    if ((n.tag == Tag::pre || n.tag == Tag::listing || n.tag == Tag::xmp) && in_code_ > 0) --in_code_;
    if (&n == data_table_) data_table_ = nullptr;
  }

  bool text_node(const Node& n) {
    if (in_code_ > 0) {
      if (node_ == nullptr) node_ = n.parent;
      text_.append(n.text);
      words_in_block_ += words_[n.id];
      return false;
    }
    std::string_view t = n.text;
    size_t before = text_.size();
    for (size_t at = 0; at < t.size();) {
      if (ascii_space(t[at]) || t.substr(at, 2) == "\xC2\xA0") {
        pending_space_ = true;
        at += ascii_space(t[at]) ? 1 : 2;
        continue;
      }
      size_t end = at;
      while (end < t.size() && !ascii_space(t[end]) && t[end] != '\xC2') ++end;
      if (end == at) ++end;
      while (end < t.size() && (static_cast<unsigned char>(t[end]) & 0xC0) == 0x80) ++end;
      if (pending_space_ && !text_.empty() && text_.back() != ' ') text_ += ' ';
      pending_space_ = false;
      text_.append(t.substr(at, end - at));
      at = end;
    }
    if (text_.size() == before) return false;
    pending_breaks_ = 0;
    if (node_ == nullptr) node_ = n.parent;
    words_in_block_ += words_[n.id];
    if (in_link_ > 0) link_words_ += words_[n.id];
    return false;
  }

  // The block-level element around `n` (n itself if it is one).
  static const Node* block_element(const Node* n) {
    while (n->parent != nullptr && n->parent->type == NodeType::element &&
           !(n->space == text::Namespace::html && kBlockLevel.has(n->tag)))
      n = n->parent;
    return n;
  }

  static const Node* ancestor(const Node* n, TagSet tags, const Node* stop) {
    for (; n != nullptr && n != stop; n = n->parent)
      if (n->space == text::Namespace::html && tags.has(n->tag)) return n;
    return nullptr;
  }

  void flush() {
    pending_breaks_ = 0;
    pending_space_ = false;
    if (in_code_ == 0)
      while (!text_.empty() && text_.back() == ' ') text_.pop_back();
    bool blank = text_.find_first_not_of(" \n\t\r\f|") == std::string::npos;
    if (node_ != nullptr && !blank) {
      Block b;
      b.node = block_element(node_);
      if (in_code_ > 0 && text_.front() == '\n') text_.erase(0, 1);
      while (in_code_ > 0 && !text_.empty() && ascii_space(text_.back())) text_.pop_back();
      b.text = std::move(text_);
      b.words = words_in_block_;
      b.link_words = link_words_;
      b.links = links_;
      set_kind(b);
      page_.blocks.push_back(std::move(b));
    }
    text_.clear();
    node_ = nullptr;
    words_in_block_ = link_words_ = 0;
    links_ = in_link_ > 0 ? 1 : 0;
  }

  void set_kind(Block& b) {
    const Node* n = b.node;
    const Node* stop = page_.body;
    if (const Node* li = ancestor(n, {Tag::li}, stop)) {
      b.kind = BlockKind::item;
      b.list_depth = static_cast<uint8_t>(std::min(list_depth_, 9));
      b.ordered = li->parent != nullptr && li->parent->is(Tag::ol);
      b.same_item = item_started_ && last_item_ == li;
      last_item_ = li;
      item_started_ = true;
    }
    if (in_code_ > 0) {
      b.kind = BlockKind::code;
    } else if (data_table_ != nullptr && row_cells_ > 0) {
      b.kind = BlockKind::row;
      b.table_head = row_head_;
    } else if (const Node* h = ancestor(n, {Tag::h1, Tag::h2, Tag::h3, Tag::h4, Tag::h5, Tag::h6}, stop)) {
      b.kind = BlockKind::heading;
      b.heading_level = static_cast<uint8_t>(h->name[1] - '0');
    } else if (b.kind != BlockKind::item) {
      if (ancestor(n, {Tag::dt, Tag::dd}, stop))
        b.kind = BlockKind::term;
      else if (ancestor(n, {Tag::figcaption, Tag::caption}, stop))
        b.kind = BlockKind::caption;
      else if (ancestor(n, {Tag::blockquote}, stop))
        b.kind = BlockKind::quote;
      else if (n->is(Tag::p))
        b.kind = BlockKind::paragraph;
    }
  }

  // Adds each block's figures to its element, then to all elements around it.
  void add_up(const Node* body) {
    for (const Node* n = body; n != nullptr; n = text::next_in_order(n, body))
      page_.subtree[n->id].first_block = UINT32_MAX;
    for (size_t i = 0; i < page_.blocks.size(); ++i) {
      const Block& b = page_.blocks[i];
      bool prose = b.words >= 12 && b.link_words * 3 < b.words;
      for (const Node* n = b.node; n != nullptr; n = n->parent) {
        Subtree& s = page_.subtree[n->id];
        s.words += b.words;
        s.link_words += b.link_words;
        s.prose_words += prose ? b.words : 0;
        ++s.blocks;
        s.first_block = std::min(s.first_block, static_cast<uint32_t>(i));
        if (n == body) break;
      }
    }
  }

  PageBlocks& page_;
  std::vector<uint32_t> words_;
  std::string text_;
  const Node* node_ = nullptr;
  const Node* data_table_ = nullptr;
  const Node* last_item_ = nullptr;
  uint32_t words_in_block_ = 0, link_words_ = 0, links_ = 0, row_cells_ = 0;
  int in_link_ = 0, in_code_ = 0, list_depth_ = 0, pending_breaks_ = 0;
  bool pending_space_ = false, item_started_ = false, row_head_ = false;
};

const Node* find_element(const Node* root, Tag tag) {
  for (const Node* n = root; n != nullptr; n = text::next_in_order(n, root))
    if (n->is(tag)) return n;
  return nullptr;
}

std::string collapsed(std::string_view t) {
  std::string out;
  for (char c : t) {
    if (!ascii_space(c))
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

std::string_view block_kind_name(BlockKind kind) {
  constexpr std::array<std::string_view, 9> kNames = {"text", "paragraph", "heading", "item",   "term",
                                                      "row",  "code",      "quote",   "caption"};
  return kNames[static_cast<size_t>(kind)];
}

uint32_t count_words(std::string_view t) {
  uint32_t words = 0, characters = 0;
  bool inside = false;
  for (size_t at = 0; at < t.size();) {
    auto c = static_cast<unsigned char>(t[at]);
    if (c < 0xE0) {  // ASCII and two-byte letters, without decoding
      bool part = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c >= 0xC3;
      if (part && !inside) ++words;
      if (c < 0x80 || c >= 0xC0) inside = part;
      ++at;
      continue;
    }
    char32_t code = text::decode_utf8(t, at);
    if (text::is_unspaced(code)) {
      ++characters;
      inside = false;
    } else {
      bool part = !(code >= 0x2000 && code <= 0x2BFF) && !(code >= 0x3000 && code <= 0x303F) &&
                  !(code >= 0xFF00 && code <= 0xFF0F);
      if (part && !inside) ++words;
      inside = part;
    }
  }
  return words + (characters + 1) / 2;
}

bool is_hidden(const Node& element) {
  if (element.attributes == nullptr) return false;
  if (element.attribute("hidden").data() != nullptr) return true;
  std::string_view style = element.attribute("style");
  if (style.empty()) return false;
  return contains_nocase(style, "display:none") || contains_nocase(style, "display: none") ||
         contains_nocase(style, "visibility:hidden") || contains_nocase(style, "visibility: hidden");
}

PageBlocks split_blocks(const text::HtmlDocument& document) {
  PageBlocks page;
  const Node* root = document.root;
  page.body = find_element(root, Tag::body);
  if (const Node* head = find_element(root, Tag::head)) {
    for (const Node* n = head->first_child; n != nullptr; n = n->next) {
      if (n->is(Tag::title) && n->first_child != nullptr && page.title.empty())
        page.title = collapsed(n->first_child->text);
      if (!n->is(Tag::meta)) continue;
      std::string_view key = n->attribute("property");
      if (key.empty()) key = n->attribute("name");
      if (key == "og:type") page.og_type = n->attribute("content");
      if (key == "og:title") page.og_title = collapsed(n->attribute("content"));
      if (key == "description" || key == "og:description") page.description = collapsed(n->attribute("content"));
    }
  }
  if (page.body == nullptr) return page;
  Splitter(document, page).run(page.body);
  return page;
}

}  // namespace llmkit::clean
