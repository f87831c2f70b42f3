#include "clean/features.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>
#include <unordered_map>

#include "text/language.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace llmkit::clean {
namespace {

using text::Node;
using text::Tag;

constexpr std::string_view kHints[] = {
#define LLMKIT_HINT(word) #word,
#include "clean/hints.def"
#undef LLMKIT_HINT
};
constexpr size_t kHintCount = std::size(kHints);
using HintSet = std::bitset<kHintCount>;

// Phrases of boilerplate, in groups that vote separately.
constexpr std::array<std::string_view, 8> kLegal = {"copyright", "\xC2\xA9", "all rights reserved", "privacy policy",
                                                    "terms of",  "cookie",   "trademark",           "disclaimer"};
constexpr std::array<std::string_view, 9> kSocial = {"share",    "tweet",     "facebook",  "twitter", "instagram",
                                                     "linkedin", "pinterest", "follow us", "youtube"};
constexpr std::array<std::string_view, 11> kAction = {"subscribe",  "newsletter", "sign up",   "log in",
                                                      "sign in",    "register",   "read more", "learn more",
                                                      "click here", "view all",   "download"};
constexpr std::array<std::string_view, 10> kNavigation = {"skip to",  "menu",   "home",    "back to top",  "next",
                                                          "previous", "search", "related", "you may also", "more from"};
constexpr std::array<std::string_view, 9> kShop = {"add to cart", "buy now",  "shipping", "in stock", "sku",
                                                   "wishlist",    "checkout", "quantity", "sale"};
constexpr std::array<std::string_view, 9> kMeta = {"posted", "published", "updated", "min read", "comments",
                                                   "reply",  "views",     "likes",   "author"};

template <size_t N>
float phrase_hits(std::string_view lower, const std::array<std::string_view, N>& phrases) {
  float hits = 0;
  for (std::string_view p : phrases) hits += lower.find(p) != std::string_view::npos;
  return hits;
}

// Adds named numbers in a fixed order; with `names` set it notes the names once.
class Writer {
 public:
  Writer(std::vector<float>& values, std::vector<std::string>* names) : values_(values), names_(names) {}
  void operator()(std::string_view name, float value) {
    values_.push_back(value);
    if (names_ != nullptr) names_->emplace_back(name);
  }
  void prefixed(std::string_view prefix, std::string_view name, float value) {
    values_.push_back(value);
    if (names_ != nullptr) names_->push_back(std::string(prefix) + std::string(name));
  }

 private:
  std::vector<float>& values_;
  std::vector<std::string>* names_;
};

float log1(float x) {
  return std::log1p(x);
}
float ratio(float a, float b) {
  return b > 0 ? a / b : 0;
}

// Figures of a block's own text.
struct TextStats {
  float link_density = 0, sentences = 0, commas = 0, stop_share = 0, upper = 0, title_case = 0, digits = 0,
        word_length = 0;
  float legal = 0, social = 0, action = 0, navigation = 0, shop = 0, meta = 0;
  bool terminal = false, colon = false, question = false, date = false, money = false, separators = false,
       duplicate = false, title_like = false;
  bool prose = false;
};

bool has_year(std::string_view t) {
  for (size_t i = 0; i + 4 <= t.size(); ++i)
    if ((t.substr(i, 2) == "20" || t.substr(i, 2) == "19") && t[i + 2] >= '0' && t[i + 2] <= '9' && t[i + 3] >= '0' &&
        t[i + 3] <= '9' && (i == 0 || !(t[i - 1] >= '0' && t[i - 1] <= '9')) &&
        (i + 4 == t.size() || !(t[i + 4] >= '0' && t[i + 4] <= '9')))
      return true;
  return false;
}

bool ends_sentence(std::string_view t) {
  while (!t.empty() && (t.back() == '"' || t.back() == ')' || t.back() == '\'' || t.ends_with("\xE2\x80\x9D") ||
                        t.ends_with("\xE2\x80\x99")))
    t.remove_suffix(static_cast<unsigned char>(t.back()) < 0x80 ? 1 : 3);
  return t.ends_with('.') || t.ends_with('!') || t.ends_with('?') || t.ends_with("\xE3\x80\x82") ||
         t.ends_with("\xEF\xBC\x81") || t.ends_with("\xEF\xBC\x9F");
}

class Extractor {
 public:
  Extractor(const PageBlocks& page, std::string_view url, std::vector<std::string>* names)
      : page_(page), url_(text::to_lower(url)), names_(names) {
    hints_.resize(page.subtree.size());
    hints_known_.resize(page.subtree.size());
  }

  FeatureTable run() {
    collect_page();
    FeatureTable table;
    for (size_t i = 0; i < page_.blocks.size(); ++i) {
      Writer add(table.values, i == 0 ? names_ : nullptr);
      own(i, add);
      place(i, add);
      around(i, add);
      neighbours(i, add);
      of_page(add);
      hint_features(i, add);
      if (i == 0) {
        table.columns = table.values.size();
        table.values.reserve(table.columns * page_.blocks.size());
      }
    }
    return table;
  }

 private:
  void collect_page() {
    std::string sample;
    for (const Block& b : page_.blocks)
      if (b.words >= 10 && sample.size() < 6000) sample.append(b.text).append("\n");
    for (std::string_view w : text::stop_words(text::identify_language(sample).code)) stop_words_.emplace(w, true);
    std::unordered_map<std::string_view, int> seen;
    for (const Block& b : page_.blocks) ++seen[b.text];
    std::string title = text::to_lower(page_.og_title.empty() ? page_.title : page_.og_title);
    stats_.resize(page_.blocks.size());
    for (size_t i = 0; i < page_.blocks.size(); ++i) {
      const Block& b = page_.blocks[i];
      stats_[i] = measure(b, title);
      stats_[i].duplicate = seen[b.text] > 1;
      page_words_ += static_cast<float>(b.words);
      page_links_ += static_cast<float>(b.link_words);
      page_prose_ += stats_[i].prose ? static_cast<float>(b.words) : 0;
      if (b.kind == BlockKind::heading && b.heading_level == 1 && first_h1_ == SIZE_MAX) first_h1_ = i;
    }
    for (const Node* n = page_.body; n != nullptr; n = text::next_in_order(n, page_.body)) {
      articles_ += n->is(Tag::article);
      mains_ += n->is(Tag::main) || (n->type == text::NodeType::element && n->attribute("role") == "main");
    }
    find_candidate();
  }

  TextStats measure(const Block& b, std::string_view title) const {
    TextStats s;
    std::string lower = text::to_lower(b.text);
    float words = 0, letters = 0, stops = 0, titled = 0, word_letters = 0;
    text::Word w;
    for (size_t at = 0; text::next_word(lower, at, w);) {
      if (w.kind == text::WordKind::symbol) {
        if (w.text == "," || w.text == "\xEF\xBC\x8C" || w.text == "\xE3\x80\x81") ++s.commas;
        continue;
      }
      words += w.kind == text::WordKind::character ? 0.5f : 1;
      word_letters += static_cast<float>(w.length);
      if (stop_words_.contains(w.text)) ++stops;
      if (w.kind == text::WordKind::character &&
          (w.text == "的" || w.text == "是" || w.text == "了" || w.text == "在" || w.text == "の" || w.text == "は" ||
           w.text == "を" || w.text == "に"))
        stops += 2;
    }
    bool boundary = true;
    for (char c : b.text) {
      bool upper = c >= 'A' && c <= 'Z',
           letter = upper || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0xC3;
      s.upper += upper;
      letters += letter;
      s.digits += c >= '0' && c <= '9';
      titled += upper && boundary;
      boundary = c == ' ';
    }
    for (size_t i = 0; i < b.text.size(); ++i)
      if ((b.text[i] == '.' || b.text[i] == '!' || b.text[i] == '?') &&
          (i + 1 == b.text.size() || b.text[i + 1] == ' '))
        ++s.sentences;
    for (std::string_view stop : {"\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F"})
      for (size_t at = b.text.find(stop); at != std::string::npos; at = b.text.find(stop, at + 3)) ++s.sentences;
    float total = static_cast<float>(b.words);
    s.link_density = ratio(static_cast<float>(b.link_words), total);
    s.stop_share = ratio(stops, words);
    s.word_length = ratio(word_letters, words);
    s.title_case = ratio(titled, words);
    s.commas = ratio(s.commas, words);
    s.upper = ratio(s.upper, letters);
    s.digits = ratio(s.digits, static_cast<float>(b.text.size()));
    std::string_view head = std::string_view(lower).substr(0, 400);
    s.legal = phrase_hits(head, kLegal);
    s.social = phrase_hits(head, kSocial);
    s.action = phrase_hits(head, kAction);
    s.navigation = phrase_hits(head, kNavigation);
    s.shop = phrase_hits(head, kShop);
    s.meta = phrase_hits(head, kMeta);
    s.terminal = ends_sentence(b.text);
    s.colon = b.text.ends_with(':');
    s.question = b.text.ends_with('?');
    s.date = b.words <= 25 && has_year(b.text);
    s.money = b.text.find('$') != std::string::npos || b.text.find("\xE2\x82\xAC") != std::string::npos ||
              b.text.find("\xC2\xA3") != std::string::npos;
    s.separators = b.text.find(" | ") != std::string::npos || b.text.find("\xC2\xBB") != std::string::npos ||
                   b.text.find("\xE2\x80\xBA") != std::string::npos;
    s.title_like = !title.empty() && lower.size() >= 4 &&
                   (title.find(lower) != std::string_view::npos || lower.find(title) != std::string::npos);
    s.prose = b.words >= 12 && s.link_density < 0.34f && s.stop_share > 0.2f;
    return s;
  }

  // The element around the most running text for its depth: a block's words count fully for its parent, half for the
  // grandparent, and so on (Readability's candidate).
  void find_candidate() {
    std::vector<float> score(page_.subtree.size());
    for (size_t i = 0; i < page_.blocks.size(); ++i) {
      if (!stats_[i].prose) continue;
      const Block& b = page_.blocks[i];
      float value = (1 + std::min(static_cast<float>(b.text.size()) / 100, 3.0f) +
                     static_cast<float>(b.words) * stats_[i].commas) *
                    (1 - stats_[i].link_density);
      const Node* n = b.node;
      for (int level = 1; level <= 6 && n != page_.body; ++level) {
        n = n->parent;
        score[n->id] += value / static_cast<float>(level);
      }
    }
    float best = 0;
    for (const Node* n = page_.body; n != nullptr; n = text::next_in_order(n, page_.body)) {
      if (score[n->id] <= best) continue;
      best = score[n->id];
      candidate_ = n;
    }
  }

  bool contains(const Node* ancestor, const Node* n) const {
    for (; n != nullptr; n = n->parent)
      if (n == ancestor) return true;
    return false;
  }

  const HintSet& hints(const Node* n) {
    HintSet& set = hints_[n->id];
    if (hints_known_[n->id]) return set;
    hints_known_[n->id] = true;
    for (text::Attribute* a = n->attributes; a != nullptr; a = a->next)
      if (a->name == "class" || a->name == "id" || a->name == "role" || a->name == "itemprop" ||
          a->name == "data-testid")
        add_hints(set, a->value);
    return set;
  }

  static void add_hints(HintSet& set, std::string_view value) {
    std::string word;
    auto end_word = [&] {
      if (word.size() >= 2 && word.size() <= 14) {
        auto* it = std::lower_bound(std::begin(kHints), std::end(kHints), std::string_view(word));
        if (it != std::end(kHints) && *it == word) set.set(static_cast<size_t>(it - kHints));
      }
      word.clear();
    };
    for (char c : value.substr(0, 300)) {
      bool upper = c >= 'A' && c <= 'Z';
      if (upper && !word.empty()) end_word();
      if (upper || (c >= 'a' && c <= 'z'))
        word += upper ? static_cast<char>(c + 32) : c;
      else
        end_word();
    }
    end_word();
  }

  void own(size_t i, Writer& add) const {
    const Block& b = page_.blocks[i];
    const TextStats& s = stats_[i];
    auto words = static_cast<float>(b.words);
    add("log words", log1(words));
    add("log characters", log1(static_cast<float>(b.text.size())));
    add("one word", b.words <= 1);
    add("up to 3 words", b.words <= 3);
    add("up to 8 words", b.words <= 8);
    add("20 words or more", b.words >= 20);
    add("50 words or more", b.words >= 50);
    add("link density", s.link_density);
    add("only links", s.link_density > 0.9f);
    add("links", log1(static_cast<float>(b.links)));
    add("sentences", log1(s.sentences));
    add("commas", std::min(s.commas, 0.5f));
    add("ends like a sentence", s.terminal);
    add("ends with a colon", s.colon);
    add("question", s.question);
    add("function words", s.stop_share);
    add("capitals", s.upper);
    add("title case", s.title_case);
    add("digits", s.digits);
    add("word length", std::min(s.word_length, 15.0f) / 5);
    add("legal phrases", std::min(s.legal, 3.0f));
    add("social phrases", std::min(s.social, 3.0f));
    add("action phrases", std::min(s.action, 3.0f));
    add("navigation phrases", std::min(s.navigation, 3.0f));
    add("shop phrases", std::min(s.shop, 3.0f));
    add("meta phrases", std::min(s.meta, 3.0f));
    add("date", s.date);
    add("money", s.money);
    add("separators", s.separators);
    add("repeated on the page", s.duplicate);
    add("like the title", s.title_like);
    add("running text", s.prose);
    for (int k = 0; k < 9; ++k)
      add.prefixed("is ", block_kind_name(static_cast<BlockKind>(k)), static_cast<int>(b.kind) == k);
    add("h1", b.kind == BlockKind::heading && b.heading_level == 1);
    add("h2", b.kind == BlockKind::heading && b.heading_level == 2);
    add("h3", b.kind == BlockKind::heading && b.heading_level == 3);
    add("ordered list", b.ordered);
    add("list depth", b.list_depth);
    add("in an item that goes on", b.same_item);
    add("own element is div", b.node->is(Tag::div));
    add("own element is button or label", b.node->is(Tag::button) || b.node->is(Tag::label) || b.node->is(Tag::legend));
  }

  void place(size_t i, Writer& add) const {
    const Block& b = page_.blocks[i];
    struct Flag {
      std::string_view name;
      Tag tag;
    };
    constexpr Flag kFlags[] = {
        {"article", Tag::article}, {"main", Tag::main},        {"nav", Tag::nav},         {"header", Tag::header},
        {"footer", Tag::footer},   {"aside", Tag::aside},      {"form", Tag::form},       {"table", Tag::table},
        {"list", Tag::ul},         {"numbered list", Tag::ol}, {"figure", Tag::figure},   {"section", Tag::section},
        {"dialog", Tag::dialog},   {"details", Tag::details},  {"button", Tag::button},   {"quote", Tag::blockquote},
        {"paragraph", Tag::p},     {"link", Tag::a},           {"address", Tag::address}, {"noscript", Tag::noscript}};
    float found[std::size(kFlags)] = {};
    bool hidden = false, aria_hidden = false, body_prop = false;
    int depth = 0;
    for (const Node* n = b.node; n != page_.body && n != nullptr; n = n->parent, ++depth) {
      for (size_t f = 0; f < std::size(kFlags); ++f)
        if (n->is(kFlags[f].tag)) found[f] = 1;
      if (n->attributes == nullptr) continue;
      hidden = hidden || is_hidden(*n);
      aria_hidden = aria_hidden || n->attribute("aria-hidden") == "true";
      if (n->attribute("role") == "main") found[1] = 1;
      if (n->attribute("role") == "navigation") found[2] = 1;
      std::string_view prop = n->attribute("itemprop");
      body_prop = body_prop || prop == "articleBody" || prop == "text" || prop == "description";
    }
    for (size_t f = 0; f < std::size(kFlags); ++f) add.prefixed("in ", kFlags[f].name, found[f]);
    add("hidden", hidden);
    add("aria-hidden", aria_hidden);
    add("in an article body", body_prop);
    add("depth", log1(static_cast<float>(depth)));
    auto total = static_cast<float>(page_.blocks.size());
    float position = static_cast<float>(i) / total;
    add("position", position);
    add("near the start", static_cast<float>(i) < 10);
    add("near the end", static_cast<float>(page_.blocks.size() - i) <= 10);
    add("last fifth", position > 0.8f);
    add("before the h1", first_h1_ != SIZE_MAX && i < first_h1_);
    add("distance after the h1",
        first_h1_ != SIZE_MAX && i >= first_h1_ ? log1(static_cast<float>(i - first_h1_)) : -1);
    bool in_candidate = candidate_ != nullptr && contains(candidate_, b.node);
    int levels = 0;
    const Node* up = b.node;
    while (candidate_ != nullptr && up != nullptr && !contains(up, candidate_) && up != candidate_) {
      up = up->parent;
      ++levels;
    }
    add("in the candidate", in_candidate);
    add("in the candidate's parent",
        candidate_ != nullptr && candidate_ != page_.body && contains(candidate_->parent, b.node));
    add("levels to the candidate", in_candidate ? 0 : log1(static_cast<float>(levels)));
    const Subtree* c = candidate_ != nullptr ? &page_.subtree[candidate_->id] : nullptr;
    add("before the candidate", c != nullptr && !in_candidate && i < c->first_block);
    add("after the candidate", c != nullptr && !in_candidate && i >= c->first_block);
    add("candidate's share of the running text",
        c != nullptr ? ratio(static_cast<float>(c->prose_words), page_prose_) : 0);
  }

  // The elements around the block, from the nearest that holds more than it.
  void around(size_t i, Writer& add) const {
    const Block& b = page_.blocks[i];
    const Node* n = b.node;
    uint32_t words_below = b.words;
    constexpr std::string_view kLevels[] = {"1 ", "2 ", "3 ", "4 ", "5 "};
    for (std::string_view level : kLevels) {
      while (n != page_.body && page_.subtree[n->id].words <= words_below) n = n->parent;
      const Subtree& s = page_.subtree[n->id];
      words_below = s.words;
      auto words = static_cast<float>(s.words);
      add.prefixed(level, "words around", log1(words));
      add.prefixed(level, "link density around", ratio(static_cast<float>(s.link_words), words));
      add.prefixed(level, "running text around", ratio(static_cast<float>(s.prose_words), words));
      add.prefixed(level, "share of the page around", ratio(words, page_words_));
      add.prefixed(level, "words a block around", log1(ratio(words, static_cast<float>(s.blocks))));
    }
    // Like siblings: a card among cards, a post among posts.
    n = b.node;
    float most = 0, own_like = 0;
    for (int level = 0; level < 6 && n != page_.body; ++level, n = n->parent) {
      std::string_view name = n->attribute("class");
      int same = 0;
      int looked = 0;
      for (const Node* sibling = n->parent->first_child; sibling != nullptr && looked < 64;
           sibling = sibling->next, ++looked)
        same += sibling->tag == n->tag && sibling->type == n->type && sibling->attribute("class") == name &&
                page_.subtree[sibling->id].words > 0;
      if (level > 0)
        most = std::max(most,
                        static_cast<float>(same) * std::min(1.0f, static_cast<float>(page_.subtree[n->id].words) / 5));
      if (level == 0) own_like = static_cast<float>(same);
    }
    add("like siblings", log1(own_like));
    add("like siblings of elements around", log1(most));
  }

  void neighbours(size_t i, Writer& add) const {
    constexpr std::string_view kNames[] = {"-2 ", "-1 ", "+1 ", "+2 "};
    constexpr int kOffsets[] = {-2, -1, 1, 2};
    for (int k = 0; k < 4; ++k) {
      auto j = static_cast<ptrdiff_t>(i) + kOffsets[k];
      bool there = j >= 0 && j < static_cast<ptrdiff_t>(page_.blocks.size());
      const Block* b = there ? &page_.blocks[static_cast<size_t>(j)] : nullptr;
      const TextStats* s = there ? &stats_[static_cast<size_t>(j)] : nullptr;
      add.prefixed(kNames[k], "words", there ? log1(static_cast<float>(b->words)) : 0);
      add.prefixed(kNames[k], "link density", there ? s->link_density : 1);
      add.prefixed(kNames[k], "running text", there && s->prose);
      add.prefixed(kNames[k], "heading", there && b->kind == BlockKind::heading);
      add.prefixed(kNames[k], "same element", there && b->node->tag == page_.blocks[i].node->tag);
      add.prefixed(kNames[k], "same parent", there && b->node->parent == page_.blocks[i].node->parent);
    }
    float words = 0, linked = 0, prose = 0;
    for (ptrdiff_t j = static_cast<ptrdiff_t>(i) - 6; j <= static_cast<ptrdiff_t>(i) + 6; ++j) {
      if (j < 0 || j >= static_cast<ptrdiff_t>(page_.blocks.size())) continue;
      const Block& b = page_.blocks[static_cast<size_t>(j)];
      words += static_cast<float>(b.words);
      linked += static_cast<float>(b.link_words);
      prose += stats_[static_cast<size_t>(j)].prose ? static_cast<float>(b.words) : 0;
    }
    add("window words", log1(words));
    add("window link density", ratio(linked, words));
    add("window running text", ratio(prose, words));
    // A heading belongs to what follows it.
    size_t j = i + 1;
    while (j < page_.blocks.size() && page_.blocks[j].kind == BlockKind::heading) ++j;
    float follow_words = 0, follow_prose = 0;
    for (; j < page_.blocks.size() && page_.blocks[j].kind != BlockKind::heading; ++j) {
      follow_words += static_cast<float>(page_.blocks[j].words);
      follow_prose += stats_[j].prose ? static_cast<float>(page_.blocks[j].words) : 0;
      if (follow_words > 500) break;
    }
    bool heading = page_.blocks[i].kind == BlockKind::heading;
    add("heading: running text below", heading ? ratio(follow_prose, follow_words) : 0);
    add("heading: words below", heading ? log1(follow_words) : 0);
  }

  void of_page(Writer& add) const {
    add("page words", log1(page_words_));
    add("page blocks", log1(static_cast<float>(page_.blocks.size())));
    add("page link density", ratio(page_links_, page_words_));
    add("page running text", ratio(page_prose_, page_words_));
    add("page articles", log1(static_cast<float>(articles_)));
    add("page has main", mains_ > 0);
    add("page og article", page_.og_type == "article");
    add("page og product", page_.og_type.find("product") != std::string::npos);
    add("page og website", page_.og_type == "website");
    auto url_has = [&](std::initializer_list<std::string_view> words) {
      return std::any_of(words.begin(), words.end(),
                         [&](std::string_view w) { return url_.find(w) != std::string::npos; });
    };
    add("url product", url_has({"/product", "/shop", "/p/", "/item"}));
    add("url forum", url_has({"forum", "thread", "topic", "/t/", "community", "discuss", "question", "viewtopic"}));
    add("url docs", url_has({"docs", "documentation", "/wiki", "manual", "reference", "guide", "developer", "/help"}));
    add("url article", url_has({"/blog", "/news", "article", "/20", "story"}));
    add("url list", url_has({"categor", "collection", "/tag", "/search", "archive"}));
  }

  void hint_features(size_t i, Writer& add) {
    const Block& b = page_.blocks[i];
    HintSet near, far;
    int level = 0;
    for (const Node* n = b.node; n != page_.body && n != nullptr; n = n->parent, ++level)
      (level < 3 ? near : far) |= hints(n);
    for (size_t h = 0; h < kHintCount; ++h) add.prefixed("near ", kHints[h], near[h]);
    for (size_t h = 0; h < kHintCount; ++h) add.prefixed("far ", kHints[h], far[h]);
  }

  const PageBlocks& page_;
  std::string url_;
  std::vector<std::string>* names_;
  std::vector<TextStats> stats_;
  std::vector<HintSet> hints_;
  std::vector<bool> hints_known_;
  std::unordered_map<std::string_view, bool> stop_words_;
  float page_words_ = 0, page_links_ = 0, page_prose_ = 0;
  size_t first_h1_ = SIZE_MAX;
  int articles_ = 0, mains_ = 0;
  const Node* candidate_ = nullptr;
};

}  // namespace

FeatureTable block_features(const PageBlocks& page, std::string_view url) {
  return Extractor(page, url, nullptr).run();
}

const std::vector<std::string>& feature_names() {
  static const std::vector<std::string> kNames = [] {
    text::HtmlDocument document;
    text::parse_html("<body><p>x", document);
    PageBlocks page = split_blocks(document);
    std::vector<std::string> names;
    Extractor(page, "", &names).run();
    return names;
  }();
  return kNames;
}

}  // namespace llmkit::clean
