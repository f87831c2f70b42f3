#include "base/heat_map.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/report.h"

namespace llmkit {
namespace {

constexpr double kWidth = 820, kTop = 10, kRight = 130, kRow = 18, kBottom = 42;

bool drawable(double v) {
  return std::isfinite(v) && v > 0;
}

std::string place(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", v);
  return text;
}

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + place(x) + "\" y=\"" + place(y) + "\" text-anchor=\"" + anchor + "\">" + html_escape(text) +
         "</text>\n";
}

std::string cell(double x, double y, double width, double height, double share, const std::string& title) {
  // One hue from nearly clear to full: readable on light and dark pages, and without colour vision.
  char opacity[16];
  std::snprintf(opacity, sizeof opacity, "%.2f", 0.06 + 0.94 * share);
  return "<rect class=\"bar s1\" x=\"" + place(x) + "\" y=\"" + place(y) + "\" width=\"" + place(width) +
         "\" height=\"" + place(height) + "\" fill-opacity=\"" + opacity + "\"><title>" + html_escape(title) +
         "</title></rect>";
}

}  // namespace

HeatMap thin_out(const HeatMap& map, size_t most) {
  if (map.x.size() <= most || most == 0) return map;
  HeatMap out{map.rows, {}, std::vector<std::vector<double>>(map.rows.size())};
  for (size_t c = 0; c < most; ++c) {
    size_t begin = map.x.size() * c / most, end = map.x.size() * (c + 1) / most;
    out.x.push_back(map.x[end - 1]);
    for (size_t r = 0; r < map.rows.size(); ++r) {
      double sum = 0;
      int64_t count = 0;
      for (size_t i = begin; i < std::min(end, map.values[r].size()); ++i) {
        if (!drawable(map.values[r][i])) continue;
        sum += std::log(map.values[r][i]);
        ++count;
      }
      out.values[r].push_back(count > 0 ? std::exp(sum / static_cast<double>(count)) : NAN);
    }
  }
  return out;
}

std::string heat_map_svg(const ChartOptions& options, const HeatMap& map) {
  double low = INFINITY, high = -INFINITY;
  size_t longest = 0;
  for (auto& row : map.values)
    for (double v : row)
      if (drawable(v)) low = std::min(low, std::log(v)), high = std::max(high, std::log(v));
  for (auto& name : map.rows) longest = std::max(longest, name.size());
  double rows = static_cast<double>(map.rows.size()), height = kTop + kRow * rows + kBottom;
  std::string svg = "<svg viewBox=\"0 0 " + place(kWidth) + " " + place(height) + "\" role=\"img\" aria-label=\"" +
                    html_escape(options.title) + "\">\n";
  if (!(low <= high)) return svg + text_at(kWidth / 2, 24, "middle", "no data") + "</svg>\n";
  auto share = [&](double v) { return high > low ? (std::log(v) - low) / (high - low) : 0.5; };
  double left = 6.6 * static_cast<double>(longest) + 14;
  double width = (kWidth - kRight - left) / static_cast<double>(std::max<size_t>(map.x.size(), 1));
  for (size_t r = 0; r < map.rows.size(); ++r) {
    double y = kTop + kRow * (rows - 1 - static_cast<double>(r));
    svg += text_at(left - 8, y + 13, "end", map.rows[r]);
    for (size_t c = 0; c < std::min(map.x.size(), map.values[r].size()); ++c) {
      double v = map.values[r][c];
      if (!drawable(v)) continue;
      svg += cell(left + width * static_cast<double>(c), y, width + 0.3, kRow - 1, share(v),
                  map.rows[r] + ", " + short_number(map.x[c]) + ": " + short_number(v));
    }
    svg += "\n";
  }
  double bottom = kTop + kRow * rows;
  for (size_t i = 0; i <= 4 && !map.x.empty(); ++i) {
    size_t c = (map.x.size() - 1) * i / 4;
    if (i > 0 && c == (map.x.size() - 1) * (i - 1) / 4) continue;
    svg += text_at(left + width * (static_cast<double>(c) + 0.5), bottom + 16, "middle", short_number(map.x[c]));
  }
  if (!options.x_label.empty()) svg += text_at((left + kWidth - kRight) / 2, height - 6, "middle", options.x_label);
  // The scale.
  constexpr int kShades = 5;
  for (int s = 0; s < kShades; ++s) {
    double part = static_cast<double>(kShades - 1 - s) / (kShades - 1), value = std::exp(low + part * (high - low));
    double y = kTop + 16.0 * s;
    if (y + 12 > height) break;
    svg += cell(kWidth - kRight + 14, y, 14, 14, part, short_number(value)) +
           text_at(kWidth - kRight + 34, y + 11, "start", short_number(value));
  }
  return svg + "</svg>\n";
}

}  // namespace llmkit
