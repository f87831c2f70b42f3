#include "dedup/report.h"

#include "base/units.h"
#include "dedup/lsh.h"

namespace llmkit::dedup {
namespace {

std::string percent(uint64_t part, uint64_t whole) {
  double share = whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
  return short_number(share) + " %";
}

void add_settings(Report& page, const DedupOptions& options) {
  std::string inputs;
  for (auto& path : options.inputs) inputs += (inputs.empty() ? "" : ", ") + path;
  page.heading("Settings");
  page.key_values(
      {{"inputs", inputs},
       {"output", options.output},
       {"exact duplicates", options.exact ? "removed" : "not looked for"},
       {"near duplicates", options.near ? "MinHash, " + std::to_string(options.minhash.bands) + " bands of " +
                                              std::to_string(options.minhash.rows) + " rows over word " +
                                              std::to_string(options.ngram) + "-grams"
                                        : "not looked for"},
       {"verification",
        options.verify > 0 ? "exact Jaccard similarity of at least " + short_number(options.verify) : "none"},
       {"survivor", options.keep == Keep::longest ? "the longest of a cluster" : "the first of a cluster"}});
}

void add_collision_curve(Report& page, const MinHashParams& params) {
  Series curve{"probability", {}, {}};
  for (int i = 0; i <= 100; ++i) {
    curve.x.push_back(i / 100.0);
    curve.y.push_back(collision_probability(i / 100.0, params));
  }
  page.line_chart({.title = "How likely two documents are compared",
                   .x_label = "Jaccard similarity",
                   .y_label = "probability of a common band",
                   .from_zero = true},
                  {curve});
}

}  // namespace

Report make_report(const DedupOptions& options, const DedupResult& result) {
  Report page("Deduplication", "llmkit dedup");
  page.figures({{"documents in", format_count(result.documents)},
                {"kept", format_count(result.kept) + " (" + percent(result.kept, result.documents) + ")"},
                {"exact duplicates", format_count(result.exact_dropped)},
                {"near duplicates", format_count(result.near_dropped)},
                {"damaged lines", format_count(static_cast<uint64_t>(result.bad.total()))}});

  page.heading("Clusters");
  page.paragraph(format_count(result.clusters) + " clusters of two documents or more. " +
                 format_count(result.candidate_pairs) + " candidate pairs, " + format_count(result.matching_pairs) +
                 " of them joined.");
  std::vector<Bar> sizes;
  for (size_t low = 2; low <= (size_t{1} << 31); low *= 2) {
    uint64_t count = 0;
    for (auto& [size, clusters] : result.cluster_sizes)
      if (size >= low && size < 2 * low) count += clusters;
    if (count == 0) continue;
    sizes.push_back(
        {low == 2 ? "2 to 3" : std::to_string(low) + " to " + std::to_string(2 * low - 1), static_cast<double>(count)});
  }
  if (!sizes.empty())
    page.bar_chart({.title = "Clusters by size", .x_label = "clusters", .y_label = "documents in the cluster"}, sizes);
  if (result.near_dropped > 0) {
    std::vector<Bar> bars;
    for (size_t i = result.similarities.size() / 2; i < result.similarities.size(); ++i)
      bars.push_back(
          {short_number(static_cast<double>(i) / 20) + " to " + short_number(static_cast<double>(i + 1) / 20),
           static_cast<double>(result.similarities[i])});
    page.bar_chart({.title = "Dropped near duplicates by similarity to the document that was kept",
                    .x_label = "documents",
                    .y_label = "similarity"},
                   bars);
  }
  if (!result.largest.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (auto& m : result.largest)
      rows.push_back({std::to_string(m.cluster), m.id, m.place,
                      m.kept    ? "kept"
                      : m.exact ? "exact"
                                : "near",
                      m.kept ? "" : short_number(m.similarity)});
    page.heading("Largest clusters");
    page.table({"cluster", "id", "place", "match", "similarity"}, rows);
  }
  if (options.near) add_collision_curve(page, options.minhash);
  add_settings(page, options);
  return page;
}

}  // namespace llmkit::dedup
