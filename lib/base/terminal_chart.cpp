#include "base/terminal_chart.h"

#include <algorithm>
#include <cmath>

namespace llmkit {
namespace {

constexpr int kDotsAcross = 2, kDotsDown = 4;

// The bit of dot (column, row) within U+2800: Unicode counts the upper six down the columns, the last row came later.
constexpr int kBits[kDotsDown][kDotsAcross] = {{0, 3}, {1, 4}, {2, 5}, {6, 7}};

std::string braille(unsigned dots) {
  unsigned code = 0x2800 + dots;
  return {static_cast<char>(0xE0 | (code >> 12)), static_cast<char>(0x80 | ((code >> 6) & 0x3F)),
          static_cast<char>(0x80 | (code & 0x3F))};
}

// Means of the stretches of x. One that no x falls into lies on the line between its neighbours; one that holds no
// number, or that follows the last, is NaN.
std::vector<double> column_means(const Series& series, int columns) {
  double low = INFINITY, high = -INFINITY;
  size_t n = std::min(series.x.size(), series.y.size());
  for (size_t i = 0; i < n; ++i) {
    low = std::min(low, series.x[i]);
    high = std::max(high, series.x[i]);
  }
  std::vector<double> sums(static_cast<size_t>(columns)), counts(sums.size());
  std::vector<bool> seen(sums.size());
  for (size_t i = 0; i < n; ++i) {
    double place = high > low ? (series.x[i] - low) / (high - low) * columns : 0;
    auto column = static_cast<size_t>(std::clamp(place, 0.0, columns - 1.0));
    seen[column] = true;
    if (!std::isfinite(series.y[i])) continue;
    sums[column] += series.y[i];
    counts[column] += 1;
  }
  size_t last = 0;  // the last column that was seen; the first one always is
  for (size_t c = 0; c < sums.size(); ++c) {
    sums[c] = counts[c] > 0 ? sums[c] / counts[c] : NAN;
    if (!seen[c]) continue;
    for (size_t between = last + 1; between < c; ++between)
      sums[between] =
          std::lerp(sums[last], sums[c], static_cast<double>(between - last) / static_cast<double>(c - last));
    last = c;
  }
  return sums;
}

}  // namespace

std::vector<std::string> terminal_chart(const Series& series, int columns, int rows) {
  size_t label = 0;
  std::vector<double> means;
  double low = 0, high = 0;
  std::string top, bottom;
  // The labels take room from the curve, and the curve decides about the labels: twice is enough.
  for (int pass = 0; pass < 2; ++pass) {
    int width = columns - static_cast<int>(label) - 2;
    if (width < 4 || rows < 2) return {};
    means = column_means(series, width * kDotsAcross);
    low = INFINITY, high = -INFINITY;
    for (double m : means) {
      if (!std::isfinite(m)) continue;
      low = std::min(low, m);
      high = std::max(high, m);
    }
    if (!(low <= high)) return {};
    top = short_number(high);
    bottom = short_number(low);
    label = std::max(top.size(), bottom.size());
  }
  int width = static_cast<int>(means.size()) / kDotsAcross;
  std::vector<unsigned> cells(static_cast<size_t>(width * rows));
  int before = -1;
  for (size_t c = 0; c < means.size(); ++c) {
    if (!std::isfinite(means[c])) {
      before = -1;
      continue;
    }
    int last = rows * kDotsDown - 1;
    int dot = high > low ? static_cast<int>(std::lround((high - means[c]) / (high - low) * last)) : last / 2;
    // From the dot before to this one, so that a steep curve stays one line.
    int from = before < 0 || before == dot ? dot : before < dot ? before + 1 : before - 1;
    for (int d = std::min(from, dot); d <= std::max(from, dot); ++d)
      cells[static_cast<size_t>(d / kDotsDown * width) + c / kDotsAcross] |= 1u
                                                                             << kBits[d % kDotsDown][c % kDotsAcross];
    before = dot;
  }
  std::vector<std::string> lines;
  for (int row = 0; row < rows; ++row) {
    const std::string& text = row == 0 ? top : row == rows - 1 ? bottom : std::string();
    std::string line = std::string(label - text.size(), ' ') + text + " ┤";
    for (int c = 0; c < width; ++c) line += braille(cells[static_cast<size_t>(row * width + c)]);
    lines.push_back(line);
  }
  return lines;
}

}  // namespace llmkit
