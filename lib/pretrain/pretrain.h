// The pretrain stage: data, model, plan, the fit loop, and at the end a Hugging Face folder and a report.
#pragma once

#include <functional>
#include <string>

#include "base/context.h"
#include "engine/fit.h"
#include "formats/bad_records.h"
#include "models/model.h"
#include "pretrain/options.h"

namespace llmkit::pretrain {

struct PretrainResult {
  engine::FitResult fit;
  models::MemoryPlan plan;
  double flops_per_token = 0, peak_flops = 0;
  std::string model_folder, report;  // empty when interrupted or on a dry run
  std::vector<std::string> inputs;
  uint64_t documents = 0;  // good ones of text files, and the damaged ones beside them (Data)
  formats::BadRecords bad;
};

// Resolves what `options` leaves open (steps, warm-up, last rate) in place; `resolved_config` is asked afterwards for
// the text of RUN/config.toml, so that running it again gives the same bytes.
PretrainResult pretrain(PretrainOptions& options, Context& context,
                        const std::function<std::string()>& resolved_config);

}  // namespace llmkit::pretrain
