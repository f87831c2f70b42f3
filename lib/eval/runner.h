// Runs evaluation tasks over a model: items in blocks, their requests scored side by side, every item's answers written
// to samples.jsonl as soon as its block is done, so that an interrupted run goes on where it stopped and scores can be
// computed again from the file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/session.h"
#include "eval/metrics.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::eval {

struct TaskRequest {
  std::string name;  // as in results: the task's name, or as given by name=…
  std::string spec;  // as written
  std::unique_ptr<Task> task;
  std::vector<std::string> files;
};

struct TaskResult {
  std::string name, spec;
  int version = 1;
  std::vector<std::string> files;
  int64_t items = 0;
  std::map<std::string, Metric> metrics;
};

struct EvalOptions {
  std::vector<std::string> specs;  // "hellaswag", "perplexity:file=books.jsonl.zst", …
  std::string data_folder;         // where files of tasks without file=… are looked for
  int64_t limit = 0;               // the first N items of each task; 0 = all
  std::string samples;             // the samples file
  bool resume = false;             // take over the answers that an earlier run wrote
};

// "a:x=1,y=2,b" -> {"a:x=1,y=2", "b"}: a comma begins a new task unless what follows it is key=value.
std::vector<std::string> split_tasks(const std::vector<std::string>& given);
// Every task takes, besides its own parameters, file=PATH (a file or folder) and name=NAME. Throws UsageError.
std::vector<TaskRequest> resolve_tasks(const EvalOptions& options);

std::vector<TaskResult> evaluate(engine::Session& session, const tokenizer::Tokenizer& tokenizer,
                                 const EvalOptions& options, Context& context);

std::string results_json(const std::vector<TaskResult>& results, const std::string& model);

}  // namespace llmkit::eval
