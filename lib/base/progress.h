// Progress for a person on stderr: a bar with rate and time left on a terminal, under a curve where the stage gives
// one, otherwise one line every 30 s.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "base/chart.h"
#include "base/context.h"

namespace llmkit {

class ProgressPrinter : public ProgressSink {
 public:
  ProgressPrinter(std::string title, bool enabled);
  ~ProgressPrinter() override;
  void update(double done, double total, std::string_view unit, std::string_view note) override;
  void point(double x, double y) override;

 private:
  using Clock = std::chrono::steady_clock;
  std::mutex mutex_;
  std::string title_;
  Series curve_;
  bool enabled_;
  bool terminal_;
  Clock::time_point start_ = Clock::now();
  double done_before_ = -1;  // what was done when the first update came: a resumed run starts in the middle
  Clock::time_point last_ = start_;
};

// "dedup  42 % ██████      3.1 GB of 7.4 GB, 210 MB/s, 20 s left  NOTE", at most `width` columns.
struct ProgressState {
  std::string_view title;
  double done = 0, total = 0, seconds = 0;  // `seconds` since `done_before` was done
  std::string_view unit, note;
  double done_before = 0;
};
std::string progress_line(const ProgressState& state, int width, bool bar);

}  // namespace llmkit
