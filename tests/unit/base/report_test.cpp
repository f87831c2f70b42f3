#include "base/report.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "base/rng.h"

using namespace llmkit;

namespace {

Report sample_report() {
  Report report("Pretraining: 10.4 M parameters on 42 MB of text",
                "llmkit pretrain --config small --data mixed -o run");
  report.figures(
      {{"validation loss", "3.217"}, {"bits per byte", "1.384"}, {"tokens per second", "18,400"}, {"steps", "2,000"}});
  report.paragraph(
      "A Llama-style decoder with 6 layers. The loss went down all the way; two steps were skipped for their gradient "
      "norm.");
  Series train{"training", {}, {}}, validation{"validation", {}, {}},
      baseline{"unigram entropy", {0, 2000}, {6.1, 6.1}, true};
  Rng rng({1, 2, 3});
  for (int step = 0; step <= 2000; ++step) {
    double loss = 3.0 + 6.0 * std::exp(-step / 180.0) + 0.12 * rng.normal();
    train.x.push_back(step);
    train.y.push_back(step == 700 ? 9.4 : loss);
    if (step % 200 == 0) {
      validation.x.push_back(step);
      validation.y.push_back(3.1 + 6.0 * std::exp(-step / 180.0));
    }
  }
  report.heading("Loss");
  report.line_chart({"Loss per token", "step", "nats", false, false, false}, {train, validation, baseline});
  report.heading("Why documents were dropped");
  report.bar_chart({"Dropped documents by rule", "documents", "", false, false, false},
                   {{"gopher-quality: too few words", 18234},
                    {"c4: no terminal punctuation", 9120},
                    {"language: not kept", 4100},
                    {"near-duplicate 近重复", 812}});
  std::vector<double> lengths;
  for (int i = 0; i < 20000; ++i) lengths.push_back(std::exp(6 + rng.normal()));
  report.histogram({"Length of documents", "words", "", true, false, false}, lengths);
  report.heading("Tasks");
  report.table({"task", "metric", "value", "± error", "items"}, {{"hellaswag", "acc_norm", "0.274", "0.011", "2,000"},
                                                                 {"blimp", "acc", "0.612", "0.004", "14,000"},
                                                                 {"cmmlu", "acc", "0.251", "0.009", "2,500"}});
  report.key_values({{"machine", "2 cores, avx512bf16"}, {"seed", "1"}, {"data", "mixed/manifest.json (xxh3 4f1e…)"}});
  report.preformatted("Once upon a time there was a <small> model & it said: \"你好\".\n\nThe end.",
                      "Sample at step 2000");
  return report;
}

size_t count(const std::string& text, std::string_view what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

}  // namespace

TEST_CASE("a report is one self-contained page whose elements close") {
  std::string html = sample_report().html();
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("http://") == std::string::npos);
  CHECK(html.find("https://") == std::string::npos);
  CHECK(html.find("url(") == std::string::npos);
  for (auto tag : {"svg", "figure", "table", "details", "main", "pre", "dl", "div", "tr", "title"}) {
    CAPTURE(tag);
    std::string open = std::string("<") + tag;
    CHECK(count(html, open + ">") + count(html, open + " ") == count(html, std::string("</") + tag + ">"));
  }
  CHECK(html.find("prefers-color-scheme: dark") != std::string::npos);
  if (const char* path = std::getenv("LLMKIT_SAMPLE_REPORT")) std::ofstream(path) << html;
}

TEST_CASE("text in a report cannot become markup") {
  Report report("<b>\"x\" & y</b>");
  report.paragraph(
      "a\x01"
      "b\xff"
      "c");
  std::string html = report.html();
  CHECK(html.find("<h1>&lt;b&gt;&quot;x&quot; &amp; y&lt;/b&gt;</h1>") != std::string::npos);
  CHECK(html.find("<p>ab\xEF\xBF\xBD"
                  "c</p>") != std::string::npos);
}

TEST_CASE("axis ticks are round numbers that cover the range") {
  CHECK(axis_ticks(0, 100, 5) == std::vector<double>{0, 20, 40, 60, 80, 100});
  CHECK(axis_ticks(3, 3, 5) == std::vector<double>{3});
  auto ticks = axis_ticks(-0.35, 1.7, 5);
  CHECK(ticks.front() <= -0.35);
  CHECK(ticks.back() >= 1.7);
  CHECK(ticks.size() <= 7);
  CHECK(log_ticks(1, 1000) == std::vector<double>{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000});
}

TEST_CASE("short numbers keep four digits and use the letters of thousands") {
  CHECK(short_number(0) == "0");
  CHECK(short_number(0.1234567) == "0.1235");
  CHECK(short_number(9999) == "9999");
  CHECK(short_number(12000) == "12k");
  CHECK(short_number(-3400000) == "-3.4M");
  CHECK(short_number(1e-5) == "1e-05");
  CHECK(short_number(NAN) == "nan");
}

TEST_CASE("thinning a series keeps its spikes and its order") {
  Series s{"loss", {}, {}};
  for (int i = 0; i < 10000; ++i) {
    s.x.push_back(i);
    s.y.push_back(i == 4321 ? 50.0 : i == 7777 ? -3.0 : 1.0);
  }
  Series thin = thin_out(s, 100);
  CHECK(thin.x.size() == 100);
  CHECK(std::is_sorted(thin.x.begin(), thin.x.end()));
  CHECK(std::find(thin.y.begin(), thin.y.end(), 50.0) != thin.y.end());
  CHECK(std::find(thin.y.begin(), thin.y.end(), -3.0) != thin.y.end());
}

TEST_CASE("charts of nothing, of one point and of values that are not numbers are still drawn") {
  CHECK(line_chart_svg({}, {}).find("no data") != std::string::npos);
  CHECK(line_chart_svg({}, {{"a", {1}, {2}}}).find("<path") != std::string::npos);
  std::string gap = line_chart_svg({}, {{"a", {1, 2, 3, 4}, {1, NAN, 3, INFINITY}}});
  CHECK(gap.find("nan") == std::string::npos);
  CHECK(gap.find("inf") == std::string::npos);
  CHECK(bar_chart_svg({}, {{"zero", 0}, {"minus", -3}}).find("<rect") != std::string::npos);
  CHECK(histogram_svg({}, std::vector<double>(5, 7.0), 10).find("<rect") != std::string::npos);
}
