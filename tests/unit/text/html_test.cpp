#include <doctest/doctest.h>

#include <string>

#include "text/html_dom.h"
#include "text/html_entities.h"

using namespace llmkit::text;

namespace {

std::string tree(std::string html, HtmlOptions options = {}) {
  HtmlDocument document;
  parse_html(std::move(html), document, options);
  return dump_tree(*document.root);
}

std::string body_of(std::string html) {
  std::string all = tree("<!DOCTYPE html><body>" + html);
  std::string start = "|   <body>\n";
  return all.substr(all.find(start) + start.size());
}

uint32_t deepest(const HtmlDocument& document) {
  uint32_t most = 0;
  for (const Node* n = document.root; n != nullptr; n = next_in_order(n, document.root)) {
    uint32_t depth = 0;
    for (const Node* up = n; up != nullptr; up = up->parent) ++depth;
    most = std::max(most, depth);
    if (n->id > 20000) break;  // depth is bounded by then or never
  }
  return most;
}

std::string repeat(std::string_view part, size_t times) {
  std::string out;
  out.reserve(part.size() * times);
  while (times-- > 0) out += part;
  return out;
}

}  // namespace

TEST_CASE("misnested formatting is repaired as the standard's adoption agency says") {
  CHECK(body_of("<p>1<b>2<i>3</b>4</i>5</p>") ==
        "|     <p>\n|       \"1\"\n|       <b>\n|         \"2\"\n|         <i>\n|           \"3\"\n|       <i>\n|      "
        "   \"4\"\n|       \"5\"\n");
}

TEST_CASE("text that a table may not hold goes before it") {
  CHECK(body_of("<table><tr>x<td>y") ==
        "|     \"x\"\n|     <table>\n|       <tbody>\n|         <tr>\n|           <td>\n|             \"y\"\n");
}

TEST_CASE("a script's text may hold tags, and a comment in it may hide its end tag") {
  CHECK(body_of("<script>a<b</script>c") == "|     <script>\n|       \"a<b\"\n|     \"c\"\n");
  CHECK(body_of("<script><!--<script></script>x--></script>y") ==
        "|     <script>\n|       \"<!--<script></script>x-->\"\n|     \"y\"\n");
}

TEST_CASE("character references are decoded by the longest name, and left alone in link parameters") {
  CHECK(decode_entities("&amp;&lt;&notit;&notin;&#x20AC;&#128;&#0;&#xD800;&bogus;&") ==
        "&<\xC2\xACit;\xE2\x88\x89\xE2\x82\xAC\xE2\x82\xAC\xEF\xBF\xBD\xEF\xBF\xBD&bogus;&");
  CHECK(decode_entities("&#99999999999999999999;") == "\xEF\xBF\xBD");
  CHECK(body_of("<a href='?a=1&copy=2&copy;'>") == "|     <a>\n|       href=\"?a=1&copy=2\xC2\xA9\"\n");
}

TEST_CASE("carriage returns become newlines and a NUL does not end the page") {
  CHECK(body_of("<pre>\r\na\rb\r\n</pre>") == "|     <pre>\n|       \"a\nb\n\"\n");
  CHECK(body_of(std::string("a\0b", 3)) == "|     \"ab\"\n");
}

TEST_CASE("a million unclosed tags neither overflow the stack nor exceed the depth cap") {
  for (std::string_view part :
       {"<div>", "<b>", "<table><td>", "<ul><li>", "<svg><desc>", "<template>", "<select><option>"}) {
    HtmlDocument document;
    parse_html(repeat(part, 1000000 / (1 + part.size() / 6)), document,
               {.scripting = false, .max_depth = 64, .fragment_context = {}});
    CAPTURE(part);
    CHECK(document.nodes > 100000);
    CHECK(deepest(document) <= 64 + 4);
  }
}

TEST_CASE("unclosed formatting elements are not copied without end") {
  std::string html = "<p>";
  for (int i = 0; i < 400; ++i) html += "<b x=" + std::to_string(i) + ">";
  html += repeat("<p>x", 20000);  // asks for 8 million copies
  HtmlDocument document;
  parse_html(std::move(html), document);
  CHECK(document.nodes < 200000);
}

TEST_CASE("half a tag, half a comment and half an entity at the end are dropped or kept as the standard says") {
  CHECK(body_of("a<b") == "|     \"a\"\n");
  CHECK(body_of("a<!--b-") == "|     \"a\"\n|     <!-- b -->\n");
  CHECK(body_of("a&am") == "|     \"a&am\"\n");
  CHECK(body_of("a</") == "|     \"a</\"\n");
}
