// The HTML page that a run leaves behind: one self-contained file without scripts or network, charts as inline SVG,
// readable in light and dark and on paper, usable with a screen reader (every chart carries its data as a table).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/chart.h"
#include "base/heat_map.h"

namespace llmkit {

class Report {
 public:
  // `subtitle` stands in small type under the title: the command line, the date of the input, the model.
  explicit Report(std::string_view title, std::string_view subtitle = "");

  void heading(std::string_view text);
  void paragraph(std::string_view text);
  // The few figures that a reader looks for first, as tiles: {"validation loss", "1.84"}.
  void figures(const std::vector<std::pair<std::string, std::string>>& items);
  void key_values(const std::vector<std::pair<std::string, std::string>>& items);
  // Columns whose cells are all numbers are set to the right.
  void table(const std::vector<std::string>& headers, const std::vector<std::vector<std::string>>& rows);
  void line_chart(const ChartOptions& options, const std::vector<Series>& series);
  void heat_map(const ChartOptions& options, const HeatMap& map);
  void bar_chart(const ChartOptions& options, const std::vector<Bar>& bars);
  void histogram(const ChartOptions& options, std::span<const double> values, int bins = 40);
  void preformatted(std::string_view text, std::string_view caption = "");

  std::string html() const;

 private:
  void figure(std::string_view title, const std::string& body, const std::string& data_table);
  std::string title_;
  std::string body_;
};

// &, <, > and " as entities; bytes that are not UTF-8 as U+FFFD; control characters left out.
std::string html_escape(std::string_view text);

}  // namespace llmkit
