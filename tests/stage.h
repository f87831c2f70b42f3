// What a stage is given by the command line, without one.
#pragma once

#include "base/context.h"

struct NoProgress final : llmkit::ProgressSink {
  void update(double, double, std::string_view, std::string_view) override {}
};

struct Stage {
  explicit Stage(int threads = 1, uint64_t seed = 0) : parallel(threads), context{parallel, stop, progress, seed} {}
  llmkit::Parallel parallel;
  llmkit::StopFlag stop;
  NoProgress progress;
  llmkit::Context context;
};
