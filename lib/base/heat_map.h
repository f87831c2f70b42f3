// A table of positive numbers as coloured cells: layers against steps. Values are shown on a logarithmic scale.
#pragma once

#include <string>
#include <vector>

#include "base/chart.h"

namespace llmkit {

struct HeatMap {
  std::vector<std::string> rows;            // the first row is drawn at the bottom
  std::vector<double> x;                    // of the columns
  std::vector<std::vector<double>> values;  // [row][column]; what is not positive and finite stays empty
};

std::string heat_map_svg(const ChartOptions& options, const HeatMap& map);

// The same with at most `most` columns, each the geometric mean of those it stands for.
HeatMap thin_out(const HeatMap& map, size_t most);

}  // namespace llmkit
