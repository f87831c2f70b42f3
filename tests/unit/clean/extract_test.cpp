#include "clean/extract.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "clean/block_model.h"
#include "clean/features.h"

using namespace llmkit;
using namespace llmkit::clean;

namespace {

const char* kPage = R"(<!DOCTYPE html><html lang="en"><head><title>Keeping bees | Field Notes</title></head><body>
<div class="cookie-banner"><p>We use cookies. Read our <a href="/p">privacy policy</a>.</p></div>
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/about">About</a></li><li><a href="/contact">Contact</a></li></ul></nav></header>
<main><article class="post"><h1>Keeping bees</h1>
<p>A honey bee colony in summer has about fifty thousand workers and one queen, and it needs very little from us, as long as we leave it alone.</p>
<p>In winter the bees form a ball around the queen and keep it warm by shivering. What they need then is food, a dry hive, and no disturbance at all.</p>
<h2>What you need</h2>
<ul><li>A hive with at least ten frames, which should be kept dry in winter.</li><li>A smoker and a hive tool, and a veil if you are not sure of your bees.</li></ul>
<p>The table shows how much a colony of bees eats in each season, as far as we were able to measure it with our own scale.</p>
<table><tr><th>Season</th><th>Food</th></tr><tr><td>winter</td><td>twelve kilos of honey</td></tr><tr><td>summer</td><td>almost nothing</td></tr></table>
<p>We wrote a small program that reads the scale every hour and writes down what it says, because nobody wants to do that by hand:</p>
<pre><code>for hour in range(24):
    print(hour,  scale.read())</code></pre>
<p>The result was a curve that rises slowly in spring, and then falls as soon as the lime trees have finished flowering.</p>
</article></main>
<aside class="sidebar"><h3>Popular now</h3><ul><li><a href="/1">Ten recipes</a></li><li><a href="/2">A walk by the sea</a></li></ul></aside>
<footer><p>&copy; 2024 Field Notes. All rights reserved.</p><ul><li><a href="/t">Terms of use</a></li></ul></footer></body></html>)";

}  // namespace

TEST_CASE("content stays with its headings, list, table and code; navigation, banner, sidebar and footer go") {
  Extraction e = extract_main_text(kPage, "https://fieldnotes.example/bees");
  CHECK(e.title == "Keeping bees | Field Notes");
  CHECK(e.html_language == "en");
  for (const char* wanted : {"Keeping bees\n", "A honey bee colony", "What you need", "- A hive with at least",
                             "winter | twelve kilos of honey\nsummer | almost nothing",
                             "for hour in range(24):\n    print(hour,  scale.read())", "The result was a curve"}) {
    CAPTURE(wanted);
    CHECK(e.text.find(wanted) != std::string::npos);
  }
  for (const char* unwanted :
       {"cookies", "Contact", "Popular now", "Ten recipes", "All rights reserved", "Terms of use"}) {
    CAPTURE(unwanted);
    CHECK(e.text.find(unwanted) == std::string::npos);
  }
}

TEST_CASE("markdown marks headings, code and tables") {
  std::string text =
      extract_main_text(kPage, "", {.markup = Markup::markdown, .explain = false, .max_depth = 256}).text;
  CHECK(text.find("## What you need") != std::string::npos);
  CHECK(text.find("```\nfor hour") != std::string::npos);
  CHECK(text.find("Season | Food\n--- | ---\nwinter") != std::string::npos);
}

TEST_CASE("explanations name every block, and their reasons add up to the score") {
  Extraction e = extract_main_text(kPage, "", {.markup = Markup::plain, .explain = true, .max_depth = 256});
  CHECK(e.blocks.size() == e.blocks_total);
  CHECK(e.blocks_kept > 8);
  CHECK(e.blocks_kept < e.blocks_total);
  for (auto& b : e.blocks) {
    CHECK(b.probability >= 0);
    CHECK(b.probability <= 1);
  }
  text::HtmlDocument document;
  text::parse_html(kPage, document);
  PageBlocks page = split_blocks(document);
  FeatureTable table = block_features(page, "");
  const BlockModel& model = BlockModel::shipped();
  double means = model.bias();
  for (uint32_t root : model.roots()) means += model.nodes()[root].mean;
  for (size_t i = 0; i < page.blocks.size(); ++i) {
    double sum = means, p = model.probability(table.row(i));
    for (auto& [feature, amount] : model.reasons(table.row(i), table.columns)) sum += amount;
    CHECK(sum == doctest::Approx(std::log(p / (1 - p))).epsilon(0.2));  // amounts below 0.02 are left out
  }
}

TEST_CASE("the shipped model was trained with the features of this program") {
  CHECK(BlockModel::shipped_columns() == feature_names().size());
  for (const TreeNode& n : BlockModel::shipped().nodes()) CHECK(n.feature < static_cast<int>(feature_names().size()));
}

TEST_CASE("blocks are chosen to make the expected F1 largest") {
  std::vector<float> p = {0.9f, 0.8f, 0.05f, 0.3f};
  std::vector<uint32_t> words = {100, 100, 100, 1};
  CHECK(select_blocks(p, words) == std::vector<bool>{true, true, false, false});
  p = {0.45f, 0.4f, 0.35f, 0.3f};  // nothing is sure: more is taken
  words = {10, 10, 10, 10};
  CHECK(select_blocks(p, words) == std::vector<bool>{true, true, true, true});
  CHECK(select_blocks(std::vector<float>{0.1f}, std::vector<uint32_t>{5}) == std::vector<bool>{false});
}

TEST_CASE("pages without content, without a body and with endless nesting give an answer") {
  CHECK(extract_main_text("", "").text.empty());
  CHECK(extract_main_text("<frameset><frame src=x></frameset>", "").text.empty());
  CHECK(extract_main_text("<script>var a = 'text';</script><style>p{}</style>", "").text.empty());
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<div><table><td>";
  CHECK_NOTHROW(extract_main_text(deep + "x", ""));
}

TEST_CASE("words are counted in any script") {
  CHECK(count_words("Two words, three!") == 3);
  CHECK(count_words("它们是六个字") == 3);
  CHECK(count_words("na\xC3\xAFve \xD0\xB4\xD0\xB0") == 2);
  CHECK(count_words("- ... |") == 0);
}
