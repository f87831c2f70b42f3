#include "base/chart.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/report.h"

namespace llmkit {
namespace {

constexpr double kWidth = 820, kHeight = 330;
constexpr double kTop = 14, kRight = 18, kBottom = 46;
constexpr size_t kMostPoints = 1200;

std::string fixed1(double v) {
  char buffer[48];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, std::round(v * 10) / 10, std::chars_format::fixed, 1).ptr;
  std::string out(buffer, end);
  if (out.ends_with(".0")) out.resize(out.size() - 2);
  return out == "-0" ? "0" : out;
}

// Width of a label in the 12 px sans-serif of the page, good enough to reserve room for it.
double text_width(std::string_view text) {
  double chars = 0;
  for (unsigned char c : text) chars += (c & 0xC0) != 0x80;
  return 6.6 * chars;
}

class Axis {
 public:
  Axis(double low, double high, bool log) : low_(low), high_(high), log_(log) {}
  double place(double v, double from, double to) const {
    double a = scale(low_), b = scale(high_);
    return from + (b > a ? (scale(v) - a) / (b - a) : 0.5) * (to - from);
  }

 private:
  double scale(double v) const { return log_ ? std::log10(v) : v; }
  double low_, high_;
  bool log_;
};

struct Range {
  double low = INFINITY, high = -INFINITY;
  void add(double v, bool log) {
    if (!std::isfinite(v) || (log && v <= 0)) return;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  bool empty() const { return low > high; }
};

std::string tag(std::string_view name, std::string_view attributes, std::string_view text = "") {
  std::string out = "<" + std::string(name) + " " + std::string(attributes);
  return text.empty() ? out + "/>" : out + ">" + std::string(text) + "</" + std::string(name) + ">";
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text, std::string_view extra = "") {
  return tag("text",
             "x=\"" + fixed1(x) + "\" y=\"" + fixed1(y) + "\" text-anchor=\"" + std::string(anchor) + "\"" +
                 std::string(extra),
             html_escape(text));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view css) {
  return tag("line", "class=\"" + std::string(css) + "\" x1=\"" + fixed1(x1) + "\" y1=\"" + fixed1(y1) + "\" x2=\"" +
                         fixed1(x2) + "\" y2=\"" + fixed1(y2) + "\"");
}

std::string open_svg(const ChartOptions& options, double height) {
  return "<svg viewBox=\"0 0 " + fixed1(kWidth) + " " + fixed1(height) + "\" role=\"img\" aria-label=\"" +
         html_escape(options.title.empty() ? "chart" : options.title) + "\">\n";
}

// The frame of a chart with two numeric axes: ticks, grid and labels; after it, left and the axes place the data.
struct Frame {
  Frame(const ChartOptions& options, Range x, Range y) : x_axis(x.low, x.high, options.log_x), y_axis(0, 1, false) {
    std::vector<double> y_ticks = options.log_y ? log_ticks(y.low, y.high) : axis_ticks(y.low, y.high, 5);
    y_axis = Axis(std::min(y.low, y_ticks.front()), std::max(y.high, y_ticks.back()), options.log_y);
    double widest = 0;
    for (double t : y_ticks) widest = std::max(widest, text_width(short_number(t)));
    left = widest + (options.y_label.empty() ? 14 : 34);
    for (double t : y_ticks) {
      double py = place_y(t);
      svg += line(left, py, kWidth - kRight, py, "grid") + text_at(left - 8, py + 4, "end", short_number(t)) + "\n";
    }
    std::vector<double> x_ticks = options.log_x ? log_ticks(x.low, x.high) : axis_ticks(x.low, x.high, 8);
    double bottom = kHeight - kBottom;
    for (double t : x_ticks) {
      if (t < x.low || t > x.high) continue;
      double px = place_x(t);
      svg += line(px, bottom, px, bottom + 4, "axis") + text_at(px, bottom + 18, "middle", short_number(t)) + "\n";
    }
    svg += line(left, bottom, kWidth - kRight, bottom, "axis");
    if (!options.x_label.empty())
      svg += text_at((left + kWidth - kRight) / 2, kHeight - 8, "middle", options.x_label, " class=\"label\"");
    if (!options.y_label.empty()) {
      double middle = (kTop + bottom) / 2;
      svg += text_at(12, middle, "middle", options.y_label,
                     " class=\"label\" transform=\"rotate(-90 12 " + fixed1(middle) + ")\"");
    }
    svg += "\n";
  }
  double place_x(double v) const { return x_axis.place(v, left, kWidth - kRight); }
  double place_y(double v) const { return y_axis.place(v, kHeight - kBottom, kTop); }

  Axis x_axis, y_axis;
  double left = 0;
  std::string svg;
};

// Room above and below, so that a flat line does not lie on the frame.
Range padded(Range r, const ChartOptions& options) {
  if (options.from_zero && !options.log_y) {
    r.low = std::min(r.low, 0.0);
    r.high = std::max(r.high, 0.0);
  }
  if (r.low == r.high) {
    double room = r.low == 0 ? 1 : std::abs(r.low) * 0.1;
    return options.log_y ? Range{r.low / 2, r.high * 2}
                         : Range{options.from_zero && r.low == 0 ? 0 : r.low - room, r.high + room};
  }
  return r;
}

std::string empty_chart(const ChartOptions& options) {
  return open_svg(options, 80) + text_at(kWidth / 2, 44, "middle", "no data") + "</svg>\n";
}

}  // namespace

std::string short_number(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
  double size = std::abs(value);
  const char* suffix = "";
  if (size >= 999950 && size < 1e15) {
    constexpr struct {
      double scale;
      const char* letter;
    } kScales[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}};
    for (auto& s : kScales) {
      if (size < s.scale * 0.99995) continue;
      value /= s.scale;
      suffix = s.letter;
      break;
    }
  } else if (size >= 10000 && size < 1e15) {
    value /= 1000;
    suffix = "k";
  }
  char buffer[40];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, 4).ptr) +
         suffix;
}

std::vector<double> axis_ticks(double low, double high, int wanted) {
  if (!(high > low)) return {low};
  double rough = (high - low) / wanted;
  double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
  std::vector<double> ticks;
  // Multiples of the step, so that no error adds up; the last tick reaches `high`.
  auto first = static_cast<int64_t>(std::floor(low / step + 1e-9)),
       last = static_cast<int64_t>(std::ceil(high / step - 1e-9));
  for (int64_t i = first; i <= last; ++i) ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

std::vector<double> log_ticks(double low, double high) {
  auto first = static_cast<int>(std::floor(std::log10(low) + 1e-9)),
       last = static_cast<int>(std::ceil(std::log10(high) - 1e-9));
  int decades = std::max(1, last - first);
  int stride = (decades + 7) / 8;
  std::vector<double> ticks;
  for (int p = first; p <= last; p += stride) {
    for (double m : {1.0, 2.0, 5.0}) {
      double v = m * std::pow(10, p);
      if (m == 1 || (decades <= 3 && v < high)) ticks.push_back(v);
    }
  }
  return ticks;
}

Series thin_out(const Series& series, size_t most) {
  size_t n = std::min(series.x.size(), series.y.size());
  if (n <= most) return series;
  Series out{series.name, {}, {}, series.dashed};
  size_t stretches = most / 2;
  for (size_t s = 0; s < stretches; ++s) {
    size_t begin = n * s / stretches, end = n * (s + 1) / stretches;
    auto key = [&](size_t i, double missing) { return std::isfinite(series.y[i]) ? series.y[i] : missing; };
    size_t low = begin, high = begin;
    for (size_t i = begin; i < end; ++i) {
      if (key(i, INFINITY) < key(low, INFINITY)) low = i;
      if (key(i, -INFINITY) > key(high, -INFINITY)) high = i;
    }
    for (size_t i : {std::min(low, high), std::max(low, high)}) {
      out.x.push_back(series.x[i]);
      out.y.push_back(series.y[i]);
    }
  }
  return out;
}

std::string line_chart_svg(const ChartOptions& options, const std::vector<Series>& all) {
  std::vector<Series> series;
  Range x, y;
  for (auto& s : all) {
    series.push_back(thin_out(s, kMostPoints));
    for (size_t i = 0; i < std::min(series.back().x.size(), series.back().y.size()); ++i) {
      if (!std::isfinite(series.back().y[i]) || (options.log_y && series.back().y[i] <= 0)) continue;
      x.add(series.back().x[i], options.log_x);
      y.add(series.back().y[i], options.log_y);
    }
  }
  if (x.empty() || y.empty()) return empty_chart(options);
  if (x.low == x.high) x = options.log_x ? Range{x.low / 2, x.high * 2} : Range{x.low - 1, x.high + 1};
  Frame frame(options, x, padded(y, options));
  std::string svg = open_svg(options, kHeight) + frame.svg;
  for (size_t s = 0; s < series.size(); ++s) {
    std::string colour = "s" + std::to_string(s % 8 + 1);
    std::string path, dots;
    bool pen_down = false;
    size_t n = std::min(series[s].x.size(), series[s].y.size());
    for (size_t i = 0; i < n; ++i) {
      double vx = series[s].x[i], vy = series[s].y[i];
      bool drawable =
          std::isfinite(vx) && std::isfinite(vy) && !(options.log_x && vx <= 0) && !(options.log_y && vy <= 0);
      if (drawable) {
        std::string px = fixed1(frame.place_x(vx)), py = fixed1(frame.place_y(vy));
        path += (pen_down ? "L" : "M") + px + " " + py;
        if (n <= 60) {
          dots += "<circle class=\"dot " + colour + "\" cx=\"" + px + "\" cy=\"" + py + "\" r=\"3\"><title>" +
                  html_escape(series[s].name + ": " + short_number(vx) + ", " + short_number(vy)) + "</title></circle>";
        }
      }
      pen_down = drawable;
    }
    svg += "<path class=\"line " + colour + (series[s].dashed ? " dashed" : "") + "\" d=\"" + path + "\"/>\n" +
           (series[s].dashed ? "" : dots) + "\n";
  }
  return svg + "</svg>\n";
}

std::string bar_chart_svg(const ChartOptions& options, const std::vector<Bar>& bars) {
  if (bars.empty()) return empty_chart(options);
  constexpr double kRow = 26, kThick = 16;
  double left = 0, room = 0;
  Range range;
  range.add(0, false);
  auto label = [](const Bar& bar) { return bar.note.empty() ? short_number(bar.value) : bar.note; };
  for (auto& bar : bars) {
    left = std::max(left, text_width(bar.name));
    room = std::max(room, text_width(label(bar)));
    range.add(bar.value, false);
  }
  left = std::min(left + 14, kWidth * 0.45);
  room = std::min(room + 14, kWidth * 0.4);
  if (range.low == range.high) range.high = 1;
  Axis axis(range.low, range.high, false);
  double height = kTop + kRow * static_cast<double>(bars.size()) + (options.x_label.empty() ? 6 : 26);
  std::string svg = open_svg(options, height);
  auto place = [&](double v) { return axis.place(v, left, kWidth - room); };
  for (size_t i = 0; i < bars.size(); ++i) {
    double y = kTop + kRow * static_cast<double>(i);
    double value = std::isfinite(bars[i].value) ? bars[i].value : 0;
    double a = std::min(place(0), place(value)), b = std::max(place(0), place(value));
    svg += text_at(left - 8, y + kThick - 3.5, "end", bars[i].name, " class=\"name\"");
    svg += "<rect class=\"bar s1\" x=\"" + fixed1(a) + "\" y=\"" + fixed1(y) + "\" width=\"" +
           fixed1(std::max(1.0, b - a)) + "\" height=\"" + fixed1(kThick) + "\" rx=\"2\"><title>" +
           html_escape(bars[i].name + ": " + label(bars[i])) + "</title></rect>";
    svg += text_at(b + 6, y + kThick - 3.5, "start", label(bars[i])) + "\n";
  }
  svg += line(place(0), kTop - 4, place(0), kTop + kRow * static_cast<double>(bars.size()) - 6, "axis");
  if (!options.x_label.empty())
    svg += text_at((left + kWidth - room) / 2, height - 6, "middle", options.x_label, " class=\"label\"");
  return svg + "</svg>\n";
}

std::string histogram_svg(const ChartOptions& options, std::span<const double> values, int bins) {
  Range x;
  for (double v : values) x.add(v, options.log_x);
  if (x.empty() || bins < 1) return empty_chart(options);
  if (x.low == x.high) x = options.log_x ? Range{x.low / 2, x.high * 2} : Range{x.low - 0.5, x.high + 0.5};
  std::vector<double> counts(static_cast<size_t>(bins));
  Axis cut(x.low, x.high, options.log_x);
  for (double v : values) {
    if (!std::isfinite(v) || (options.log_x && v <= 0)) continue;
    auto bin = static_cast<int>(cut.place(v, 0, bins));
    counts[static_cast<size_t>(std::clamp(bin, 0, bins - 1))] += 1;
  }
  ChartOptions drawn = options;
  if (drawn.y_label.empty()) drawn.y_label = "count";
  drawn.log_y = false;
  Frame frame(drawn, x, Range{0, *std::max_element(counts.begin(), counts.end())});
  std::string svg = open_svg(options, kHeight) + frame.svg;
  double width = (kWidth - kRight - frame.left) / bins;
  for (int b = 0; b < bins; ++b) {
    double count = counts[static_cast<size_t>(b)];
    if (count == 0) continue;
    double top = frame.place_y(count);
    svg += "<rect class=\"bar s1\" x=\"" + fixed1(frame.left + width * b + 0.5) + "\" y=\"" + fixed1(top) +
           "\" width=\"" + fixed1(std::max(0.5, width - 1)) + "\" height=\"" + fixed1(kHeight - kBottom - top) +
           "\"><title>" + short_number(count) + "</title></rect>\n";
  }
  return svg + "</svg>\n";
}

}  // namespace llmkit
