#include "base/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/log.h"
#include "base/terminal_chart.h"
#include "base/units.h"

namespace llmkit {
namespace {

std::string amount(double value, std::string_view unit) {
  if (unit == "bytes") return format_bytes(value);
  return format_count(static_cast<uint64_t>(std::max(0.0, value))) + " " + std::string(unit);
}

std::string rate_text(double rate, std::string_view unit) {
  if (unit == "bytes") return format_bytes(rate) + "/s";
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, rate >= 100 ? "%.0f " : rate >= 1 ? "%.1f " : "%.2g ", rate);
  return buffer + std::string(unit) + "/s";
}

constexpr size_t kMostPoints = 4096;
constexpr int kChartRows = 8, kMostColumns = 100;

// Code points, which are columns for all but wide scripts.
int columns_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

struct TerminalSize {
  int columns = 80, rows = 24;
};
TerminalSize terminal_size() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col <= 20) return {};
  return {size.ws_col, size.ws_row};
}

}  // namespace

std::string progress_line(const ProgressState& s, int width, bool bar) {
  std::string tail = amount(s.done, s.unit);
  if (s.total > 0) {  // "42 of 250 steps"
    if (s.unit != "bytes") tail.resize(tail.find(' '));
    tail += " of " + amount(s.total, s.unit);
  }
  double rate = s.seconds > 0 ? (s.done - s.done_before) / s.seconds : 0;
  if (rate > 0) tail += ", " + rate_text(rate, s.unit);
  if (rate > 0 && s.total > s.done) tail += ", " + format_seconds((s.total - s.done) / rate) + " left";
  if (!s.note.empty()) tail += ", " + printable(s.note);
  std::string line(s.title);
  constexpr int kCells = 20;
  bar = bar && columns_of(line) + columns_of(tail) + kCells + 7 <= width;  // the figures say more
  if (s.total > 0) {
    double share = std::clamp(s.done / s.total, 0.0, 1.0);
    line += " " + std::to_string(static_cast<int>(share * 100)) + "% ";
    if (bar) {
      int full = static_cast<int>(share * kCells);
      for (int i = 0; i < kCells; ++i) line += i < full ? "█" : "░";
      line += ' ';
    }
  } else {
    line += ": ";
  }
  line += tail;
  // The note may hold anything, so the cut counts code points, which are columns for all but wide scripts.
  size_t columns = 0, i = 0;
  for (; i < line.size() && columns < static_cast<size_t>(width); ++i) {
    if (i + 1 == line.size() || (static_cast<unsigned char>(line[i + 1]) & 0xC0) != 0x80) ++columns;
  }
  return line.substr(0, i);
}

ProgressPrinter::ProgressPrinter(std::string title, bool enabled) : title_(std::move(title)), enabled_(enabled) {
  const char* term = std::getenv("TERM");
  terminal_ = isatty(STDERR_FILENO) && term && std::string_view(term) != "dumb";
}

ProgressPrinter::~ProgressPrinter() {
  log::set_status_line(false);
}

void ProgressPrinter::point(double x, double y) {
  if (!enabled_ || !terminal_) return;
  std::lock_guard lock(mutex_);
  curve_.x.push_back(x);
  curve_.y.push_back(y);
  if (curve_.x.size() < kMostPoints) return;
  // Neighbours become one, so that a run of any length takes the same memory.
  size_t half = curve_.x.size() / 2;
  for (size_t i = 0; i < half; ++i) {
    curve_.x[i] = curve_.x[2 * i];
    curve_.y[i] = (curve_.y[2 * i] + curve_.y[2 * i + 1]) / 2;
  }
  curve_.x.resize(half);
  curve_.y.resize(half);
}

void ProgressPrinter::update(double done, double total, std::string_view unit, std::string_view note) {
  if (!enabled_) return;
  std::lock_guard lock(mutex_);
  auto now = Clock::now();
  if (done_before_ < 0) {
    done_before_ = done;
    if (done > 0) start_ = now;
  }
  auto period = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(30);
  bool first_bar = terminal_ && last_ == start_;
  if (!first_bar && now - last_ < period) return;
  last_ = now;
  ProgressState state{title_, done, total,       std::chrono::duration<double>(now - start_).count(),
                      unit,   note, done_before_};
  if (!terminal_) return log::info(progress_line(state, 200, false));
  TerminalSize size = terminal_size();
  std::string text;
  for (auto& line :
       terminal_chart(curve_, std::min(size.columns - 1, kMostColumns), std::min(kChartRows, size.rows - 4)))
    text += line + "\n";
  log::status_line(text + progress_line(state, size.columns - 1, true));
}

}  // namespace llmkit
