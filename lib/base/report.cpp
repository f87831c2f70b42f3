#include "base/report.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "base/version.h"

namespace llmkit {
namespace {

// Colours of the series are told apart with the common colour deficiencies too (after Okabe and Ito), in both schemes.
constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --ink: #1c1e21; --muted: #62666d; --rule: #e3e4e6; --grid: #ececee;
  --series-1: #0b6fb8; --series-2: #c8500a; --series-3: #00805c; --series-4: #b0518f;
  --series-5: #8a6a00; --series-6: #2f9bd6; --series-7: #6b4fbb; --series-8: #6d6f73; }
@media (prefers-color-scheme: dark) { :root {
  --page: #131417; --card: #1a1c20; --ink: #e4e5e7; --muted: #9aa0a8; --rule: #2d3036; --grid: #272a2f;
  --series-1: #5bb0ee; --series-2: #f08b4b; --series-3: #3fc19a; --series-4: #df8fc2;
  --series-5: #dcb73e; --series-6: #8fd0f5; --series-7: #ab95ee; --series-8: #a7a9ad; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
main { max-width: 900px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 1.15rem; margin: 44px 0 14px; padding-top: 20px; border-top: 1px solid var(--rule); }
p { margin: 10px 0; max-width: 68ch; }
.subtitle { color: var(--muted); margin: 6px 0 26px; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; }
.tile { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 12px 16px; }
.tile b { display: block; font-size: 1.45rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.3; overflow-wrap: anywhere; }
.tile span { color: var(--muted); font-size: 0.85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 24px; margin: 14px 0; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 14px 0; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--muted); font-weight: 600; border-bottom: 1px solid var(--muted); vertical-align: bottom; }
th, td { padding: 5px 22px 5px 0; } td { border-bottom: 1px solid var(--rule); vertical-align: top; }
th.n, td.n { text-align: right; white-space: nowrap; }
figure { margin: 20px 0; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 16px 18px 10px; }
figcaption { font-weight: 600; margin-bottom: 4px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 0.85rem; color: var(--muted); margin-bottom: 6px; }
.legend svg { width: 22px; height: 8px; margin-right: 6px; vertical-align: middle; }
figure > svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--muted); font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; font-variant-numeric: tabular-nums; }
svg text.name { fill: var(--ink); }
.grid { stroke: var(--grid); } .axis { stroke: var(--muted); stroke-opacity: 0.6; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; } .line.dashed { stroke-dasharray: 6 4; }
.s1 { --c: var(--series-1); } .s2 { --c: var(--series-2); } .s3 { --c: var(--series-3); } .s4 { --c: var(--series-4); }
.s5 { --c: var(--series-5); } .s6 { --c: var(--series-6); } .s7 { --c: var(--series-7); } .s8 { --c: var(--series-8); }
.line { stroke: var(--c); } .bar, .dot { fill: var(--c); }
details { font-size: 0.85rem; color: var(--muted); margin: 6px 0 4px; } summary { cursor: pointer; }
pre { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 12px 16px; overflow-x: auto;
  font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 48px; color: var(--muted); font-size: 0.85rem; }
@media (max-width: 560px) { main { padding: 24px 14px; } dl { grid-template-columns: 1fr; } dd { margin-bottom: 6px; } }
@media print { body { background: none; } figure, pre { break-inside: avoid; } details { display: none; } }
)css";

bool is_number(std::string_view cell) {
  if (cell.empty() || cell == "-" || cell == "–") return true;
  size_t digits = 0;
  for (char c : cell) digits += c >= '0' && c <= '9';
  bool start = (cell[0] >= '0' && cell[0] <= '9') || cell[0] == '-' || cell[0] == '+' || cell[0] == '.';
  return start && digits > 0 && cell.find_first_not_of("0123456789+-.,%eEkMGT ±x") == std::string_view::npos;
}

std::string table_html(const std::vector<std::string>& headers, const std::vector<std::vector<std::string>>& rows) {
  std::vector<bool> numeric(headers.size(), true);
  for (size_t column = 0; column < headers.size(); ++column) {
    for (auto& row : rows) {
      if (column < row.size() && !is_number(row[column])) numeric[column] = false;
    }
  }
  auto cell = [&](std::string_view tag, size_t column, std::string_view text) {
    bool right = column < numeric.size() && numeric[column] && !rows.empty();
    return "<" + std::string(tag) + (right ? " class=\"n\">" : ">") + html_escape(text) + "</" + std::string(tag) + ">";
  };
  std::string out = "<div class=\"wide\"><table><thead><tr>";
  for (size_t column = 0; column < headers.size(); ++column) out += cell("th", column, headers[column]);
  out += "</tr></thead><tbody>\n";
  for (auto& row : rows) {
    out += "<tr>";
    for (size_t column = 0; column < row.size(); ++column) out += cell("td", column, row[column]);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string number(double v) {
  if (!std::isfinite(v)) return "-";
  char buffer[40];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::general, 6).ptr};
}

}  // namespace

std::string html_escape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t n = utf8_sequence_length(text.substr(i));
    char c = text[i];
    if (n == 0)
      out += "\xEF\xBF\xBD";
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
      out.append(text, i, n);
    i += std::max<size_t>(n, 1);
  }
  return out;
}

Report::Report(std::string_view title, std::string_view subtitle) : title_(title) {
  body_ = "<h1>" + html_escape(title) + "</h1>\n<p class=\"subtitle\">" + html_escape(subtitle) + "</p>\n";
}

void Report::heading(std::string_view text) {
  body_ += "<h2>" + html_escape(text) + "</h2>\n";
}
void Report::paragraph(std::string_view text) {
  body_ += "<p>" + html_escape(text) + "</p>\n";
}

void Report::figures(const std::vector<std::pair<std::string, std::string>>& items) {
  body_ += "<div class=\"tiles\">\n";
  for (auto& [name, value] : items)
    body_ += "<div class=\"tile\"><b>" + html_escape(value) + "</b><span>" + html_escape(name) + "</span></div>\n";
  body_ += "</div>\n";
}

void Report::key_values(const std::vector<std::pair<std::string, std::string>>& items) {
  body_ += "<dl>\n";
  for (auto& [name, value] : items) body_ += "<dt>" + html_escape(name) + "</dt><dd>" + html_escape(value) + "</dd>\n";
  body_ += "</dl>\n";
}

void Report::table(const std::vector<std::string>& headers, const std::vector<std::vector<std::string>>& rows) {
  body_ += table_html(headers, rows);
}

void Report::figure(std::string_view title, const std::string& body, const std::string& data_table) {
  body_ += "<figure>";
  if (!title.empty()) body_ += "<figcaption>" + html_escape(title) + "</figcaption>\n";
  body_ += body;
  if (!data_table.empty()) body_ += "<details><summary>data</summary>" + data_table + "</details>";
  body_ += "</figure>\n";
}

void Report::line_chart(const ChartOptions& options, const std::vector<Series>& series) {
  std::string legend;
  if (series.size() > 1) {
    legend = "<div class=\"legend\">";
    for (size_t s = 0; s < series.size(); ++s) {
      legend += "<span><svg viewBox=\"0 0 22 8\" aria-hidden=\"true\"><path class=\"line s" +
                std::to_string(s % 8 + 1) + (series[s].dashed ? " dashed" : "") + "\" d=\"M0 4L22 4\"/></svg>" +
                html_escape(series[s].name) + "</span>";
    }
    legend += "</div>\n";
  }
  // A long series goes into the table thinned out: the files of the run hold all of it.
  std::vector<std::vector<std::string>> rows;
  for (auto& s : series) {
    Series few = thin_out(s, 40);
    for (size_t i = 0; i < std::min(few.x.size(), few.y.size()); ++i)
      rows.push_back({few.name, number(few.x[i]), number(few.y[i])});
  }
  auto or_else = [](const std::string& text, const char* fallback) {
    return text.empty() ? std::string(fallback) : text;
  };
  figure(options.title, legend + line_chart_svg(options, series),
         table_html({"series", or_else(options.x_label, "x"), or_else(options.y_label, "y")}, rows));
}

void Report::heat_map(const ChartOptions& options, const HeatMap& map) {
  HeatMap drawn = thin_out(map, 60), listed = thin_out(map, 8);
  std::vector<std::string> headers{""};
  for (double x : listed.x) headers.push_back(number(x));
  std::vector<std::vector<std::string>> rows;
  for (size_t r = 0; r < listed.rows.size(); ++r) {
    rows.push_back({listed.rows[r]});
    for (double v : listed.values[r]) rows.back().push_back(number(v));
  }
  figure(options.title, heat_map_svg(options, drawn), table_html(headers, rows));
}

void Report::bar_chart(const ChartOptions& options, const std::vector<Bar>& bars) {
  std::vector<std::vector<std::string>> rows;
  for (auto& bar : bars) rows.push_back({bar.name, number(bar.value)});
  figure(options.title, bar_chart_svg(options, bars),
         table_html({"", options.x_label.empty() ? "value" : options.x_label}, rows));
}

void Report::histogram(const ChartOptions& options, std::span<const double> values, int bins) {
  std::vector<double> sorted;
  for (double v : values) {
    if (std::isfinite(v)) sorted.push_back(v);
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::vector<std::string>> rows;
  if (!sorted.empty()) {
    for (int percent : {0, 5, 25, 50, 75, 95, 100}) {
      rows.push_back(
          {std::to_string(percent) + "%", number(sorted[(sorted.size() - 1) * static_cast<size_t>(percent) / 100])});
    }
  }
  figure(options.title, histogram_svg(options, values, bins),
         table_html({"quantile", options.x_label.empty() ? "value" : options.x_label}, rows));
}

void Report::preformatted(std::string_view text, std::string_view caption) {
  if (!caption.empty()) body_ += "<p><b>" + html_escape(caption) + "</b></p>\n";
  body_ += "<pre>" + html_escape(text) + "</pre>\n";
}

std::string Report::html() const {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         html_escape(title_) + "</title>\n<style>" + std::string(kStyle) + "</style>\n</head>\n<body>\n<main>\n" +
         body_ + "<footer>llmkit " LLMKIT_VERSION "</footer>\n</main>\n</body>\n</html>\n";
}

}  // namespace llmkit
