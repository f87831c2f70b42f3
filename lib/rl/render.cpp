#include "rl/render.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/report.h"

namespace llmkit::rl {
namespace {

std::string action_name(const Environment& world, int32_t action) {
  if (static_cast<size_t>(action) < world.actions.size()) return world.actions[static_cast<size_t>(action)];
  return std::to_string(action + 1);  // the gambler's stakes
}

std::string padded(const std::string& text,
                   size_t width) {  // on the left, by characters that the worlds use: one column each
  auto columns =
      static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  return std::string(columns < width ? width - columns : 0, ' ') + text;
}

std::string place(const Environment& world, int32_t state) {
  if (world.columns == 0) return world.cells[static_cast<size_t>(state)];
  return "(" + std::to_string(state / world.columns) + "," + std::to_string(state % world.columns) + ")";
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace

std::string draw_policy(const Environment& world, const std::vector<int32_t>& actions) {
  std::string out;
  int columns = world.columns ? world.columns : 10;
  for (int32_t s = 0; s < world.mdp.states(); ++s) {
    auto i = static_cast<size_t>(s);
    std::string cell = world.mdp.terminal(s) ? world.cells[i] : action_name(world, actions[i]);
    out += world.columns ? padded(cell, 2) : padded(world.cells[i] + ":" + (world.mdp.terminal(s) ? "-" : cell), 7);
    if ((s + 1) % columns == 0 || s + 1 == world.mdp.states()) out += '\n';
  }
  return out;
}

std::string draw_values(const Environment& world, const std::vector<double>& values) {
  std::string out;
  if (world.columns == 0 || world.columns > 12) return out;
  for (size_t s = 0; s < values.size(); ++s) {
    char cell[32];
    std::snprintf(cell, sizeof cell, "%9.3f", values[s]);
    out += cell;
    if ((s + 1) % static_cast<size_t>(world.columns) == 0) out += '\n';
  }
  return out;
}

std::string draw_rollout(const Environment& world, const std::vector<int32_t>& actions, int64_t max_steps, Rng& rng) {
  std::string path;
  int32_t s = world.draw_start(rng);
  double total = 0;
  int64_t step = 0;
  bool ended = false;
  path += place(world, s);
  while (!ended && step < max_steps) {
    int32_t a = actions[static_cast<size_t>(s)];
    const Outcome& o = world.mdp.sample(s, a, rng);
    total += o.reward;
    ++step;
    ended = o.ends;
    s = o.next;
    if (step <= 40)
      path += " " + action_name(world, a) + " " + place(world, s);
    else if (step == 41)
      path += " …";
  }
  return path + "\n" + std::to_string(step) + " steps, return " + number(total) +
         (ended ? "" : ", cut: it did not end") + "\n";
}

std::vector<double> stretch_means(const std::vector<double>& values, int count) {
  size_t n = values.size(), parts = std::min(n, static_cast<size_t>(count));
  std::vector<double> out;
  for (size_t i = 0; i < parts; ++i) {
    size_t begin = i * n / parts, end = (i + 1) * n / parts;
    double sum = 0;
    for (size_t k = begin; k < end; ++k) sum += values[k];
    out.push_back(sum / static_cast<double>(end - begin));
  }
  return out;
}

std::string sparkline(const std::vector<double>& values, int width) {
  static const char* const kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  auto points = stretch_means(values, width);
  if (points.empty()) return "";
  auto [low, high] = std::minmax_element(points.begin(), points.end());
  std::string out;
  for (double p : points) {
    double share = *high > *low ? (p - *low) / (*high - *low) : 0;
    out += kBlocks[std::min(7, static_cast<int>(share * 8))];
  }
  return out;
}

std::string plot(const std::vector<Curve>& curves, double reference, const std::string& reference_name, int width,
                 int height) {
  std::vector<std::vector<double>> points;
  std::vector<double> all;
  for (auto& curve : curves) {
    points.push_back(stretch_means(curve.values, width));
    all.insert(all.end(), points.back().begin(), points.back().end());
  }
  std::sort(all.begin(), all.end());
  // The first steps of a learner are far off: 2 % at either end may leave the picture at its edge.
  size_t off = all.size() / 50;
  double low = all.empty() ? reference : std::min(reference, all[off]),
         high = all.empty() ? reference : std::max(reference, all[all.size() - 1 - off]);
  if (!(high > low)) high = low + 1;
  std::vector<std::string> rows(static_cast<size_t>(height), std::string(static_cast<size_t>(width), ' '));
  auto row_of = [&](double y) {
    return static_cast<size_t>(std::lround((high - std::clamp(y, low, high)) / (high - low) * (height - 1)));
  };
  for (size_t x = 0; x < static_cast<size_t>(width); x += 2) rows[row_of(reference)][x] = '-';
  for (size_t c = 0; c < points.size(); ++c) {
    size_t n = points[c].size();
    for (size_t x = 0; x < static_cast<size_t>(width) && n > 0; ++x)  // short curves are stretched
      rows[row_of(points[c][x * n / static_cast<size_t>(width)])][x] = static_cast<char>('A' + c % 26);
  }
  std::string out;
  for (size_t r = 0; r < rows.size(); ++r) {
    double y = high - (high - low) * static_cast<double>(r) / (height - 1);
    out += padded(r % 4 == 0 || r + 1 == rows.size() ? short_number(y) : "", 9) + " |" + rows[r] + "\n";
  }
  for (size_t c = 0; c < curves.size(); ++c)
    out += "          " + std::string(1, static_cast<char>('A' + c % 26)) + " " + curves[c].name + "\n";
  return out + "          - " + reference_name + " " + short_number(reference) + "\n";
}

}  // namespace llmkit::rl
