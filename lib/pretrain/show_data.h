// What one step reads, told without training: the order is a function of (seed, step), so any step can be looked up,
// the one of a loss spike for example.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/context.h"
#include "pretrain/options.h"

namespace llmkit::pretrain {

struct SequenceShown {
  uint64_t number = 0;                              // over the whole run, from 0: names its dropout
  std::string source;                               // empty where there is one alone
  uint64_t first_token = 0;                         // in the training tokens of the source
  int64_t first_document = -1, last_document = -1;  // of token shards, as mix numbered them
  std::string text;                                 // decoded; empty without a tokenizer
};

// Calls `show` for each sequence of the step that metrics.jsonl counts as `step` (from 1) where nothing was skipped.
void show_data(PretrainOptions& options, int64_t step, Context& context,
               const std::function<void(const SequenceShown&)>& show);

}  // namespace llmkit::pretrain
