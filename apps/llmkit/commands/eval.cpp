// llmkit eval: scores of a model on tasks, with standard errors.
#include <fmt/format.h>

#include "base/report.h"
#include "base/units.h"
#include "command.h"
#include "engine/session.h"
#include "eval/runner.h"
#include "io/files.h"
#include "models/model.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::cli {
namespace {

class EvalCommand : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        .name = "eval",
        .group = "Models",
        .summary = "score a model on tasks",
        .examples = {"llmkit eval --model run/model --tasks hellaswag,arc-easy --task-data tasks/ -o scores",
                     "llmkit eval --model run/model --tasks perplexity:file=books.jsonl.zst -o scores --max "
                     "perplexity.bits_per_byte=1.6"},
        .details =
            "Semantics follow lm-evaluation-harness: multiple choice by log-likelihood (acc; acc_norm divides by the "
            "length of the choice in "
            "characters), perplexity by rolling windows in which each token is predicted once, greedy generation up to "
            "a stop string. An item's "
            "answers do not depend on the batch or the thread count. The output folder holds results.json, report.html "
            "and samples.jsonl with every "
            "request and answer; --resume takes finished answers over. Gates for scripts and CI: --min "
            "TASK.METRIC=VALUE, --max TASK.METRIC=VALUE.",
        .uses = kUsesOutput | kUsesThreads | kUsesForce | kUsesResume | kUsesJson | kUsesManifest | kUsesGates,
        .output_default = ""};
    return info;
  }

  void declare(Options& o) override {
    o.text("--model", &model_, "FOLDER", "model to score: a Hugging Face folder");
    o.list("--tasks", &options_.specs, "LIST",
           "tasks, separated by commas; NAME or NAME:file=PATH (llmkit help eval-tasks)");
    o.text("--task-data", &options_.data_folder, "FOLDER",
           "where files of tasks without file=PATH are looked for, by their names");
    o.integer("--limit", &options_.limit, "N", "only the first N items of each task (0 = all)", 0);
    o.integer("--batch-tokens", &batch_tokens_, "N", "tokens read at once; changes memory, not results", 1);
  }

  ExitCode run(Context& context, const Common& common) override {
    if (model_.empty()) throw UsageError("--model FOLDER is required");
    eval::resolve_tasks(options_);  // complain about names and files before the model is read
    io::make_folders(common.output);
    options_.samples = common.output + "/samples.jsonl";
    options_.resume = common.resume;
    auto tokenizer = tokenizer::Tokenizer::load(model_);
    auto model = models::Model::load(model_, context.parallel, {.training = false});
    engine::Session session(*model, context.parallel, batch_tokens_);
    auto results = eval::evaluate(session, tokenizer, options_, context);
    Summary summary;
    summary.unit = "items";
    summary.inputs = {model_};
    summary.interrupted = context.stop.requested();
    for (auto& r : results) {
      summary.in += static_cast<uint64_t>(r.items);
      summary.inputs.insert(summary.inputs.end(), r.files.begin(), r.files.end());
      for (auto& [name, m] : r.metrics) summary.metrics.emplace_back(r.name + "." + name, m.value);
    }
    summary.kept = summary.in;
    if (!summary.interrupted) {
      io::write_file_atomically(common.output + "/results.json", eval::results_json(results, model_));
      io::write_file_atomically(common.output + "/report.html", report(results));
      summary.outputs = {common.output + "/results.json", common.output + "/samples.jsonl",
                         common.output + "/report.html"};
    }
    if (!common.quiet) print(results);
    summary.written = common.output;
    return common.finish(summary);
  }

 private:
  static std::vector<std::vector<std::string>> rows(const std::vector<eval::TaskResult>& results) {
    std::vector<std::vector<std::string>> out;
    for (auto& r : results)
      for (auto& [name, m] : r.metrics)
        out.push_back({r.name, name, fmt::format("{:.4f}", m.value), fmt::format("{:.4f}", m.standard_error),
                       format_count(static_cast<uint64_t>(m.items))});
    return out;
  }

  static void print(const std::vector<eval::TaskResult>& results) {
    fmt::print(stderr, "{:<24} {:<18} {:>10} {:>10} {:>8}\n", "task", "metric", "value", "± stderr", "items");
    for (auto& row : rows(results))
      fmt::print(stderr, "{:<24} {:<18} {:>10} {:>9} {:>8}\n", row[0], row[1], row[2], row[3], row[4]);
  }

  std::string report(const std::vector<eval::TaskResult>& results) const {
    Report report("Evaluation of " + model_);
    report.table({"task", "metric", "value", "standard error", "items"}, rows(results));
    return report.html();
  }

  std::string model_;
  eval::EvalOptions options_;
  int64_t batch_tokens_ = 4096;
};

}  // namespace

std::unique_ptr<Command> make_eval() {
  return std::make_unique<EvalCommand>();
}

}  // namespace llmkit::cli
