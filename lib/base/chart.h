// Charts as SVG text: lines, bars, histograms. Colours come from the CSS variables of the page around them
// (--ink, --muted, --grid, --series-1 … --series-8), so that one drawing serves light and dark.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmkit {

struct ChartOptions {
  std::string title;
  std::string x_label, y_label;
  bool log_x = false, log_y = false;  // values that are not positive are left out
  bool from_zero = false;             // the y axis starts at zero
};

struct Series {
  std::string name;
  std::vector<double> x, y;  // equal lengths; a y that is not finite leaves a gap
  bool dashed = false;       // for a reference: a baseline, the exact value
};

struct Bar {
  std::string name;
  double value = 0;
  std::string note{};  // shown behind the bar instead of the value
};

std::string line_chart_svg(const ChartOptions& options, const std::vector<Series>& series);
std::string bar_chart_svg(const ChartOptions& options, const std::vector<Bar>& bars);
std::string histogram_svg(const ChartOptions& options, std::span<const double> values, int bins);

// Round values at steps of 1, 2 or 5 times a power of ten that cover [low, high], about `wanted` of them.
std::vector<double> axis_ticks(double low, double high, int wanted);
// Powers of ten (with 2 and 5 between them when there are few decades) that cover [low, high].
std::vector<double> log_ticks(double low, double high);
// A short number for an axis or a label: 4 significant digits, 12k, 3.4M, 1e-5.
std::string short_number(double value);

// At most `most` points that keep the lowest and the highest of each stretch, so that spikes stay visible.
Series thin_out(const Series& series, size_t most);

}  // namespace llmkit
