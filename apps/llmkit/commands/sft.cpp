#include "sft/sft.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/units.h"
#include "command.h"
#include "tokenizer/chat_template.h"

namespace llmkit::cli {
namespace {

class Sft final : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "sft",
        "Models",
        "fine-tune a model on conversations",
        {"llmkit sft --model run/model --data chat.jsonl -o chat",
         "llmkit sft --model run/model --data chat.jsonl --show-masks 5"},
        "Reads conversations as messages, ShareGPT, Alpaca or question-answer pairs (JSON lines or one array a file) "
        "and trains on "
        "what the assistant says, the end of its turn included; a message's own weight wins over its role. "
        "Conversations are "
        "packed into rows (best fit); they do not see each other, and positions start again in each. One that is too "
        "long ends "
        "with the last assistant turn that fits, or is cut with --overlong cut; both are counted.\n\n"
        "Tokens that the template needs and the tokenizer lacks are added; their rows start as the mean of the others. "
        "RUN/model is a Hugging Face folder with the chat template in tokenizer_config.json.\n\n"
        "The same data, model and --seed give the same bytes for any --threads, also after --resume.",
        kUsesOutput | kUsesThreads | kUsesSeed | kUsesForce | kUsesResume | kUsesJson | kUsesManifest | kUsesMaxBad |
            kUsesGates};
    return info;
  }

  void declare(Options& o) override {
    constexpr int64_t kMany = int64_t{1} << 40;
    o.text("--model", &options_.model, "DIR", "model to start from");
    o.group("Data");
    o.list("--data", &options_.data, "FILE", "conversations");
    o.list("--validation-data", &options_.validation_data, "FILE", "conversations to validate on");
    o.real("--validation-share", &options_.validation_share, "SHARE",
           "of --data, kept for validation where none is given", 0, 0.9);
    o.choice("--template", &options_.chat_template, tokenizer::chat_templates().names(), "chat template");
    o.integer("--context", &options_.context, "N", "positions of a row; 0 = the model's", 0, 1 << 20);
    o.choice("--overlong", &options_.overlong, {"turns", "cut"},
             "conversations beyond the context: keep whole turns, or cut");
    o.choice("--train-on", &options_.train_on, {"all", "last"}, "which of the assistant's turns");
    o.boolean("--packing", &options_.packing, "several conversations share a row");
    o.integer("--show-masks", &options_.show_masks, "N", "print the first N conversations with their targets, and stop",
              0, kMany);
    o.group("Training");
    o.real("--epochs", &options_.epochs, "X", "length of the run: passes over the data", 0, 1e6);
    o.integer("--steps", &options_.steps, "N", "length of the run: optimiser steps, instead of --epochs", 0, kMany);
    o.integer("--batch", &options_.batch, "N", "rows of a micro-batch", 1, 1 << 20);
    o.integer("--accumulation", &options_.accumulation, "N", "micro-batches of a step", 1, 1 << 20);
    o.real("--lr", &options_.lr, "X", "peak learning rate", 0, 100);
    o.real("--min-lr", &options_.min_lr, "X", "last learning rate; -1 = a tenth of --lr", -1, 100);
    o.integer("--warmup", &options_.warmup, "STEPS", "of rising learning rate; -1 = 3 % of the run", -1, kMany);
    o.real("--weight-decay", &options_.weight_decay, "X", "of matrices and embeddings", 0, 10);
    o.real("--clip", &options_.clip, "X", "largest gradient norm; 0 = any", 0, 1e9);
    o.choice("--precision", &options_.precision, {"f32", "bf16"}, "of the matrix products; weights stay f32");
    o.group("Run");
    o.integer("--eval-every", &options_.eval_every, "STEPS", "between validations and samples; 0 = at the end only", 0,
              kMany);
    o.integer("--checkpoint-every", &options_.checkpoint_every, "STEPS", "between checkpoints; 0 = at the end only", 0,
              kMany);
    o.integer("--keep", &options_.keep, "N", "newest checkpoints that stay", 1, 1 << 20);
    o.integer("--sample-tokens", &options_.reply_tokens, "N", "length of a sample reply; 0 = none", 0, 1 << 20);
  }

  ExitCode run(Context& context, const Common& common) override {
    if (options_.model.empty()) throw UsageError("--model is missing");
    if (options_.data.empty()) throw UsageError("--data is missing");
    if (options_.show_masks > 0) {
      std::cout << sft::masks(options_, context, isatty(STDOUT_FILENO) != 0);
      return ExitCode::done;
    }
    if (common.output.empty() || common.output == "-") throw UsageError("--output needs the name of a run folder");
    options_.output = common.output;
    options_.resume = common.resume;
    auto result = sft::fine_tune(options_, context, common.resolved_config());
    return common.finish(summary(result, common));
  }

 private:
  Summary summary(const sft::SftResult& r, const Common& common) const {
    Summary s;
    s.unit = "conversations";
    s.interrupted = r.fit.interrupted;
    auto& c = r.coverage;
    auto& v = r.validation_coverage;
    s.kept = static_cast<uint64_t>(c.kept + v.kept);
    s.dropped = static_cast<uint64_t>(c.conversations + v.conversations) - s.kept;
    s.bad = static_cast<uint64_t>(r.bad.total());
    s.bad_examples = r.bad.first();
    s.in = s.kept + s.dropped + s.bad;
    s.metrics = {{"steps", static_cast<double>(r.fit.step)},
                 {"train_loss", r.fit.loss},
                 {"tokens", static_cast<double>(c.tokens)},
                 {"targets", static_cast<double>(c.targets)}};
    for (auto& value : r.before) s.metrics.emplace_back("first_" + value.name, value.value);
    for (auto& value : r.fit.validation) s.metrics.emplace_back(value.name, value.value);
    s.written = (r.fit.interrupted ? common.output : r.model_folder + " and " + r.report) + " (" +
                format_count(static_cast<uint64_t>(r.fit.step)) + " steps" + change(r) +
                (r.fit.interrupted ? "; --resume goes on)" : ")");
    s.inputs = options_.data;
    if (!r.fit.interrupted) {
      s.outputs = {r.model_folder + "/model.safetensors"};
      s.next = "llmkit generate --model " + r.model_folder + " --chat";
    }
    return s;
  }

  static std::string change(const sft::SftResult& r) {
    if (r.before.empty() || r.fit.validation.empty()) return {};
    char text[80];
    std::snprintf(text, sizeof text, ", validation loss %.4f to %.4f", r.before[0].value, r.fit.validation[0].value);
    return text;
  }

  sft::SftOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_sft() {
  return std::make_unique<Sft>();
}

}  // namespace llmkit::cli
