#include <doctest/doctest.h>

#include <cmath>

#include "base/heat_map.h"
#include "base/terminal_chart.h"

using namespace llmkit;

namespace {

int columns(const std::string& line) {
  int n = 0;
  for (unsigned char c : line) n += (c & 0xC0) != 0x80;
  return n;
}

size_t count(const std::string& text, std::string_view what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

}  // namespace

TEST_CASE("a falling line is drawn from the top left to the bottom right, dot by dot") {
  // 2 cells of 2 x 4 dots in 2 rows: 4 columns of dots, 8 rows of them.
  Series line{"loss", {0, 1, 2, 3}, {7, 5, 2, 0}, false};
  auto rows = terminal_chart(line, 7, 2);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].substr(0, 5) == "7 ┤");
  CHECK(rows[1].substr(0, 5) == "0 ┤");
  // Dots of the columns, counted from the top: 0; 1, 2; 3, 4, 5; 6, 7.
  CHECK(terminal_chart(line, 5, 2).empty());  // no room
  auto small = terminal_chart(Series{"x", {0, 1, 2, 3, 4, 5, 6, 7}, {7, 6, 5, 4, 3, 2, 1, 0}, false}, 7, 2);
  CHECK(small[0] == "7 ┤⠑⢄⠀⠀");
  CHECK(small[1] == "0 ┤⠀⠀⠑⢄");
  // Fewer points than dots make the same line, but none is drawn over what is no number.
  CHECK(terminal_chart(Series{"x", {0, 3, 7}, {7, 4, 0}, false}, 7, 2) == small);
  CHECK(terminal_chart(Series{"x", {0, 3, 4, 7}, {7, NAN, 4, 0}, false}, 7, 2)[0] == "7 ┤⠁⠀⡀⠀");
}

TEST_CASE("a terminal chart stays within its room for any numbers") {
  Series series{"loss", {}, {}, false};
  for (int i = 0; i < 5000; ++i) {
    series.x.push_back(i);
    series.y.push_back(i % 7 == 0 ? NAN : 1e-7 * std::sin(i * 0.01) + 3);
  }
  for (int width : {20, 79, 100}) {
    auto rows = terminal_chart(series, width, 8);
    CHECK(rows.size() == 8);
    for (auto& row : rows) CHECK(columns(row) <= width);
  }
  CHECK(terminal_chart(Series{"", {}, {}, false}, 80, 8).empty());
  CHECK(terminal_chart(Series{"", {1}, {NAN}, false}, 80, 8).empty());
  CHECK(terminal_chart(Series{"", {1}, {2}, false}, 80, 8).size() == 8);
}

TEST_CASE("a heat map draws one cell for each positive value, the more of it the darker, and a scale") {
  HeatMap map{{"embedding", "layers.0"}, {100, 200, 300}, {{1, 10, 100}, {0, NAN, 10}}};
  std::string svg = heat_map_svg({"Gradients", "", "", false, false, false}, map);
  CHECK(count(svg, "<rect") == 4 + 5);
  CHECK(svg.find("fill-opacity=\"0.06\"><title>embedding, 100: 1</title>") != std::string::npos);
  CHECK(svg.find("fill-opacity=\"0.53\"><title>layers.0, 300: 10</title>") != std::string::npos);
  CHECK(svg.find("fill-opacity=\"1.00\"><title>embedding, 300: 100</title>") != std::string::npos);
  CHECK(svg.find("aria-label=\"Gradients\"") != std::string::npos);
  CHECK(heat_map_svg(ChartOptions{}, HeatMap{}).find("no data") != std::string::npos);
}

TEST_CASE("a thinned heat map keeps the geometric means and the last column") {
  HeatMap map{{"a"}, {1, 2, 3, 4}, {{1, 100, NAN, 7}}};
  HeatMap thin = thin_out(map, 2);
  CHECK(thin.x == std::vector<double>{2, 4});
  CHECK(thin.values[0][0] == doctest::Approx(10));
  CHECK(thin.values[0][1] == doctest::Approx(7));
}
