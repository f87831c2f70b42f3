// The report of a training run, made from its logs: curves, samples, configuration. One self-contained HTML page.
#pragma once

#include <string>

#include "engine/fit.h"

namespace llmkit::engine {

struct FitReportInput {
  std::string title;
  std::string config;       // config.toml
  std::string memory_plan;  // table for a person, may be empty
  std::string run_path;     // metrics.jsonl, timings.jsonl and samples.txt are read from here
  const FitResult& result;
};

std::string fit_report(const FitReportInput& input);

}  // namespace llmkit::engine
