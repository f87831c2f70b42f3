// Supervised fine-tuning: from a model folder and conversations to a chatting model. What `llmkit sft` does.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/fit.h"
#include "formats/bad_records.h"
#include "sft/dataset.h"

namespace llmkit::sft {

struct SftOptions {
  std::string model;              // Hugging Face folder
  std::vector<std::string> data;  // conversations: JSON lines or arrays
  std::vector<std::string> validation_data;
  double validation_share = 0.05;  // of the conversations, where validation_data is empty
  std::string chat_template = "chatml";
  int64_t context = 0;             // positions of a row; 0 = the model's
  std::string overlong = "turns";  // or cut
  std::string train_on = "all";    // assistant turns: all or last
  bool packing = true;

  double epochs = 3;
  int64_t steps = 0;                    // instead of epochs
  int64_t batch = 8, accumulation = 1;  // rows of a micro-batch, micro-batches of a step
  double lr = 3e-4, min_lr = -1;        // -1: a tenth of lr
  int64_t warmup = -1;                  // -1: 3 % of the steps
  double weight_decay = 0.01, clip = 1.0;
  std::string precision = "f32";

  int64_t eval_every = 100, checkpoint_every = 200, keep = 2;
  int64_t reply_tokens = 64;
  std::string output;  // run folder
  bool resume = false;
  int64_t show_masks = 0;
};

struct SftResult {
  engine::FitResult fit;
  Coverage coverage, validation_coverage;
  std::vector<engine::NamedValue> before;  // validation before the first step
  formats::BadRecords bad;
  std::string model_folder, report;
};

// Trains; `resolved_config` is written to RUN/config.toml.
SftResult fine_tune(const SftOptions& options, Context& context, const std::string& resolved_config);

// The first conversations with their targets marked, for a terminal.
std::string masks(const SftOptions& options, Context& context, bool colour);

}  // namespace llmkit::sft
