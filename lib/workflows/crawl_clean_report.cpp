#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/units.h"
#include "workflows/crawl_clean.h"

namespace llmkit::workflows {
namespace {

std::string percent(uint64_t part, uint64_t whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%",
                whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0);
  return text;
}

std::vector<std::pair<std::string, uint64_t>> by_count(const std::map<std::string, uint64_t>& counts) {
  std::vector<std::pair<std::string, uint64_t>> out(counts.begin(), counts.end());
  std::stable_sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.second > b.second; });
  return out;
}

void bars(Report& report, const std::string& title, const std::map<std::string, uint64_t>& counts) {
  std::vector<Bar> list;
  for (auto& [name, count] : by_count(counts)) {
    if (list.size() == 20) break;
    list.push_back({name, static_cast<double>(count)});
  }
  if (!list.empty()) report.bar_chart({.title = title, .x_label = "documents", .y_label = {}, .from_zero = true}, list);
}

}  // namespace

Report crawl_clean_report(const CrawlCleanResult& result) {
  const CrawlCleanCounts& c = result.counts;
  std::string inputs = std::to_string(result.inputs.size()) + (result.inputs.size() == 1 ? " input" : " inputs");
  Report report("crawl-clean", inputs);
  report.figures(
      {{"pages in", format_count(c.pages)},
       {"documents kept", format_count(c.kept) + " (" + percent(c.kept, c.pages) + ")"},
       {"text kept", format_bytes(static_cast<double>(c.text_bytes))},
       {"pages a second",
        result.seconds > 0 ? format_bytes(static_cast<double>(c.page_bytes) / result.seconds) + "/s" : "-"}});
  report.heading("From pages to documents");
  report.bar_chart(
      {.title = "Bytes", .x_label = "bytes", .y_label = {}, .from_zero = true},
      {{"pages", static_cast<double>(c.page_bytes), format_bytes(static_cast<double>(c.page_bytes))},
       {"main text", static_cast<double>(c.extracted_bytes), format_bytes(static_cast<double>(c.extracted_bytes))},
       {"after the filters", static_cast<double>(c.text_bytes), format_bytes(static_cast<double>(c.text_bytes))}});
  report.heading("Why documents were dropped");
  if (c.rules.empty()) report.paragraph("None was.");
  std::vector<std::pair<std::string, const RuleCount*>> rules;
  for (auto& [name, rule] : c.rules) rules.emplace_back(name, &rule);
  std::stable_sort(rules.begin(), rules.end(),
                   [](auto& a, auto& b) { return a.second->documents > b.second->documents; });
  if (!rules.empty()) {
    std::vector<Bar> list;
    std::vector<std::vector<std::string>> rows;
    for (auto& [name, rule] : rules) {
      list.push_back({name, static_cast<double>(rule->documents)});
      for (size_t i = 0; i < rule->examples.size(); ++i)
        rows.push_back({i == 0 ? name : "", i == 0 ? format_count(rule->documents) : "",
                        i == 0 ? percent(rule->documents, c.pages) : "", rule->examples[i]});
    }
    report.bar_chart(
        {.title = "Documents by the rule that dropped them", .x_label = "documents", .y_label = {}, .from_zero = true},
        list);
    report.table({"rule", "documents", "of all pages", "for example"}, rows);
  }
  report.heading("What was kept");
  std::vector<Bar> lengths;
  for (size_t k = 0; k < c.length_buckets.size(); ++k)
    if (c.length_buckets[k] > 0)
      lengths.push_back({format_count(uint64_t{1} << k) + " to " + format_count((uint64_t{2} << k) - 1),
                         static_cast<double>(c.length_buckets[k])});
  if (!lengths.empty())
    report.bar_chart(
        {.title = "Length of kept documents, in characters", .x_label = "documents", .y_label = {}, .from_zero = true},
        lengths);
  bars(report, "Languages of kept documents", c.languages);
  bars(report, "Charsets of pages", c.charsets);
  if (result.bad.total > 0) {
    report.heading("Damaged records");
    std::vector<std::vector<std::string>> rows;
    for (auto& [reason, count] : result.bad.by_reason) rows.push_back({reason, std::to_string(count)});
    report.table({"reason", "records"}, rows);
  }
  report.heading("Filters, in order");
  std::string filters;
  for (const std::string& f : result.filters) filters += f + "\n";
  report.preformatted(filters);
  return report;
}

}  // namespace llmkit::workflows
