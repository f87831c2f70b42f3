#include "pretrain/pretrain.h"

#include <cstdio>

#include "base/json_writer.h"
#include "base/units.h"
#include "commands/pretrain.h"
#include "pretrain/show_data.h"
#include "pretrain/verify_resume.h"

namespace llmkit::cli {
namespace {

class PretrainCommand final : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "pretrain",
        "Models",
        "train a language model from scratch",
        {"llmkit pretrain --config tinyshakespeare-char --data tinyshakespeare.txt -o run",
         "llmkit pretrain --config 10m --data tokens --minutes 15 --threads 0 -o run",
         "llmkit pretrain --config 10m --data tokens --minutes 15 -o run --resume",
         "llmkit pretrain --config 10m --data tokens --steps 1000 -o run --verify-resume 20",
         "mpirun -n 4 llmkit pretrain --config 10m --data tokens --batch 4 --accumulation 4 --grad-groups 4 --steps "
         "1000 -o run"},
        "Trains a decoder-only transformer of the Llama (Touvron et al., 2023) or GPT-2 (Radford et al., 2019) kind on "
        "next "
        "tokens. The run folder holds config.toml (everything resolved), metrics.jsonl, timings.jsonl, samples.txt, "
        "events for TensorBoard, checkpoints, report.html and, at the end, model: a Hugging Face folder that generate, "
        "eval and sft take.\n"
        "Order, dropout and initialisation depend on --seed and the step alone. A run that was stopped (also by kill "
        "-9 or a "
        "full disk) and continued with --resume ends with the same bytes as one that was not, whatever --threads says. "
        "The "
        "newest checkpoint whose checksums are right is the one that counts. SIGINT and SIGTERM save one and stop, "
        "SIGUSR1 "
        "saves one and goes on.\n"
        "With --resume a run may be made longer by more --steps (or --tokens, --epochs) where its learning rates so "
        "far stay "
        "what they were: under --schedule constant always, under wsd before its decay.\n"
        "--anomaly rewind goes back to the newest checkpoint of the schedule when a loss or gradient norm is NaN or a "
        "spike, "
        "and past the data around it from then on (as for PaLM, Chowdhery et al., 2022, 5.1); metrics.jsonl and the "
        "report "
        "tell of it, and the list of what was skipped is part of every later checkpoint.\n"
        "--show-data prints what a step reads, before, during or after the run: which source, place and documents each "
        "sequence is from, and how it begins. A step that met a spike can be looked at this way.\n"
        "--minutes times a few batches first, fixes the number of steps and writes it to config.toml: the schedule "
        "needs to "
        "know its end, and the result then depends on no clock. If the machine is busier later, the run takes longer.\n"
        "--verify-resume proves the promise on your own configuration, machine and data: the first steps are trained "
        "twice in "
        "a scratch folder (the output's name with .verify), in one piece and in three with a kill, a stop and another "
        "thread "
        "count, and every byte is compared. Exit code 4 and the first difference where there is one.\n"
        "Gates: --max val_loss=1.88, or --min with steps, tokens, tokens_per_second, worker_tiles (that two threads "
        "ran each).",
        kUsesOutput | kUsesThreads | kUsesSeed | kUsesForce | kUsesResume | kUsesDryRun | kUsesJson | kUsesManifest |
            kUsesMaxBad | kUsesMemory | kUsesGates | kUsesIsa | kUsesRanks,
        ""};
    return info;
  }

  void declare(Options& o) override {
    auto& m = options_.model;
    auto& d = options_.data;
    auto& t = options_.train;
    auto& r = options_.run;
    constexpr int64_t kMany = int64_t{1} << 40;
    o.group("Data");
    o.list("--data", &d.data, "PATH|NAME=PATH:WEIGHT",
           "folder of token shards (llmkit mix), or text: .txt, .jsonl, compressed or not; several sources by name and "
           "weight");
    o.text("--validation-data", &d.validation_data, "PATH",
           "validate on this; default: --data's folder validation, else its end");
    o.real("--validation-share", &d.validation_share, "SHARE", "share of the tokens, from the end, kept for validation",
           0, 0.9);
    o.text("--tokenizer", &d.tokenizer, "NAME|DIR", "for text: byte, char or a tokenizer folder");
    o.text("--probe", &d.probe, "FILE",
           "texts, one a line, whose perplexity is followed: a curve each for the first sixteen");
    o.choice("--order", &d.order, {"windows", "crops", "sequential"},
             "windows: every token once an epoch; crops: random places; sequential: as the data lies");
    o.boolean("--document-mask", &d.document_mask, "attention stays inside a document");

    o.group("Model");
    o.text("--model", &m.model, "DIR", "go on with this Hugging Face folder: shape and tokenizer are its own");
    o.choice("--arch", &m.arch, {"llama", "gpt2"}, "architecture");
    o.integer("--layers", &m.layers, "N", "blocks", 1, 1000);
    o.integer("--heads", &m.heads, "N", "attention heads", 1, 1024);
    o.integer("--kv-heads", &m.kv_heads, "N", "key and value heads; 0 = as many as heads", 0, 1024);
    o.integer("--width", &m.width, "N", "size of the residual stream", 1, 1 << 20);
    o.integer("--ffn", &m.ffn, "N", "inner size of the feed-forward; 0 = 4 x width, or 8/3 x width for llama", 0,
              1 << 22);
    o.integer("--context", &m.context, "N", "tokens of a sequence", 1, 1 << 20);
    o.boolean("--tied", &m.tied, "one matrix for the embedding and the output");
    o.boolean("--bias", &m.bias, "gpt2: biases in linear layers");
    o.real("--rope-base", &m.rope_base, "X", "llama: base of the rotary frequencies", 1, 1e12);
    o.real("--dropout", &m.dropout, "P", "of embeddings, attention and residual branches", 0, 0.9);
    o.choice("--init", &m.init, {"gpt2", "small", "mup"},
             "how weights are drawn; mup keeps the best --lr the same for every width");
    o.integer("--base-width", &m.base_width, "N", "--init mup: the width that --lr was found for", 1, 1 << 20);

    o.group("Training");
    o.integer("--batch", &t.batch, "N", "sequences of a micro-batch", 1, 1 << 20);
    o.integer("--accumulation", &t.accumulation, "N", "micro-batches of a step", 1, 1 << 20);
    o.integer("--batch-warmup", &t.batch_warmup, "STEPS",
              "over which a step grows from one micro-batch (of each group) to --accumulation", 0, 1 << 24);
    o.integer("--grad-groups", &t.grad_groups, "N",
              "groups of micro-batches whose gradients add in a tree, a power of two", 1, 1 << 16);
    o.integer("--steps", &t.steps, "N", "length of the run: optimiser steps", 0, kMany);
    o.real("--tokens", &t.tokens, "N", "length of the run: tokens", 0, 1e18);
    o.real("--epochs", &t.epochs, "X", "length of the run: passes over the training data", 0, 1e6);
    o.real("--minutes", &t.minutes, "X", "length of the run: as many steps as fit, measured first", 0, 1e7);
    o.text("--optimizer", &t.optimizer, "SPEC", "llmkit help optimizers");
    o.real("--lr", &t.lr, "X", "peak learning rate", 0, 100);
    o.real("--min-lr", &t.min_lr, "X", "last learning rate; -1 = a tenth of --lr", -1, 100);
    o.text("--schedule", &t.schedule, "SPEC", "llmkit help schedules");
    o.integer("--warmup", &t.warmup, "STEPS", "of rising learning rate; -1 = a fiftieth of the run, at most 2000", -1,
              kMany);
    o.real("--weight-decay", &t.weight_decay, "X", "adamw: of matrices and embeddings", 0, 10);
    o.real("--beta1", &t.beta1, "X", "adamw", 0, 0.9999999);
    o.real("--beta2", &t.beta2, "X", "adamw", 0, 0.9999999);
    o.real("--epsilon", &t.epsilon, "X", "adamw", 0, 1);
    o.real("--clip", &t.clip, "X", "largest gradient norm; 0 = any", 0, 1e9);
    o.real("--z-loss", &t.z_loss, "X", "weight of the squared log-sum-exp of the logits, for example 1e-4; 0 = none", 0,
           1);
    o.real("--ema", &t.ema, "X",
           "decay of an average of the weights, for example 0.999: validated beside them, exported as model-ema", 0,
           0.9999999);
    o.choice("--precision", &t.precision, {"f32", "bf16", "f16"},
             "of the matrix products; weights stay f32; f16 is done in software, with dynamic loss scaling");
    o.choice("--recompute", &t.recompute, {"none", "attention", "block"},
             "what the backward computes again instead of keeping it: less memory for up to a third more time, the "
             "same bits "
             "(Chen et al. 2016)");
    o.real("--peak-gflops", &t.peak_gflops, "X", "what MFU is a share of; 0 = measure it", 0, 1e9);

    o.group("Run");
    o.integer("--eval-every", &r.eval_every, "STEPS", "between validations; 0 = at the end only", 0, kMany);
    o.real("--eval-tokens", &r.eval_tokens, "N", "of the validation data at most; 0 = all", 0, 1e18);
    o.integer("--checkpoint-every", &r.checkpoint_every, "STEPS", "between checkpoints; 0 = at the end only", 0, kMany);
    o.integer("--keep", &r.keep, "N", "newest checkpoints that stay", 1, 1 << 20);
    o.integer("--milestone-every", &r.milestone_every, "STEPS", "between checkpoints that stay for good; 0 = none", 0,
              kMany);
    o.integer("--statistics-every", &r.statistics_every, "STEPS",
              "between sizes of weights, gradients, activations by layer; 0 = none", 0, kMany);
    o.integer("--sample-every", &r.sample_every, "STEPS", "between samples; 0 = at the end only", 0, kMany);
    o.text("--prompt", &r.prompt, "TEXT", "what samples start with");
    o.integer("--sample-tokens", &r.sample_tokens, "N", "length of a sample; 0 = none", 0, 1 << 20);
    o.choice("--anomaly", &r.anomaly, {"log", "skip", "rewind", "stop"},
             "a NaN is never applied, a spike is: log; neither is: skip; back to a checkpoint and past the data: "
             "rewind; end: stop");
    o.real("--spike-sigmas", &r.spike_sigmas, "X", "robust standard deviations that make a spike; 0 = none does", 0,
           1e6);
    o.integer("--verify-resume", &verify_steps_, "STEPS",
              "prove exact resume on so many steps instead of training; 0 = no", 0, kMany);
    o.integer("--show-data", &show_step_, "STEP",
              "print what this step reads instead of training; with --json one object a sequence; 0 = no", 0, kMany);
    o.integer("--rewind-around", &r.rewind_around, "STEPS", "of data skipped before and after the bad step", 0,
              1 << 20);
  }

  ExitCode run(Context& context, const Common& common) override {
    options_.run.output = common.output;
    options_.run.resume = common.resume;
    options_.run.dry_run = common.dry_run;
    if (show_step_ > 0) return show(context, common);
    if (verify_steps_ > 0) return verify(context, common);
    auto result = pretrain::pretrain(options_, context, [&] { return common.resolved_config(); });
    if (common.dry_run || !context.ranks.leader()) return ExitCode::done;

    const engine::FitResult& fit = result.fit;
    Summary summary;
    summary.interrupted = fit.interrupted;
    summary.written = (fit.interrupted ? common.output : result.model_folder + " and " + result.report) + " (" +
                      figures(fit) + (fit.interrupted ? "; --resume goes on)" : ")");
    summary.metrics = {{"steps", static_cast<double>(fit.step)},
                       {"tokens", static_cast<double>(fit.tokens)},
                       {"train_loss", fit.loss},
                       {"parameters", static_cast<double>(result.plan.parameters)},
                       {"anomalies", static_cast<double>(fit.anomalies)}};
    for (auto& v : fit.validation) summary.metrics.emplace_back(v.name, v.value);
    // How the threads of this process shared the work: what a test of equal bytes asks for.
    ParallelStats shared = context.parallel.stats();
    summary.metrics.emplace_back("workers", shared.workers);
    summary.metrics.emplace_back("worker_tiles", static_cast<double>(shared.least_tiles));
    if (fit.step_seconds > 0) {
      double speed = static_cast<double>(fit.session_tokens) / fit.step_seconds;
      summary.metrics.emplace_back("tokens_per_second", speed);
      if (result.peak_flops > 0)
        summary.metrics.emplace_back("mfu", speed * result.flops_per_token / result.peak_flops);
    }
    summary.inputs = result.inputs;
    summary.bad = static_cast<uint64_t>(result.bad.total());
    if (summary.bad > 0) {  // of shards nothing is counted, and of whole texts there is nothing to say
      summary.bad_examples = result.bad.first();
      summary.kept = result.documents;
      summary.in = summary.kept + summary.bad;
    }
    if (!fit.interrupted) {
      summary.outputs = {result.model_folder + "/model.safetensors"};
      summary.next = "llmkit generate --model " + result.model_folder;
    }
    return common.finish(summary);
  }

  bool writes() const override { return show_step_ == 0; }

  pretrain::PretrainOptions& options() { return options_; }

 private:
  ExitCode show(Context& context, const Common& common) {
    pretrain::show_data(options_, show_step_, context, [&](const pretrain::SequenceShown& s) {
      std::string line;
      if (common.json) {
        JsonWriter json(line);
        json.begin_object()
            .member("sequence", s.number)
            .member("source", s.source)
            .member("first_token", s.first_token);
        if (s.first_document >= 0)
          json.key("documents").begin_array().value(s.first_document).value(s.last_document).end_array();
        json.member("text", s.text).end_object();
      } else {
        line = "sequence " + format_count(s.number) + (s.source.empty() ? "" : "  " + s.source) + "  token " +
               format_count(s.first_token);
        if (s.first_document >= 0)
          line += "  document " + std::to_string(s.first_document) +
                  (s.last_document > s.first_document ? " to " + std::to_string(s.last_document) : "");
        line += "  " + printable(s.text, 100);
      }
      std::printf("%s\n", line.c_str());
    });
    return ExitCode::done;
  }

  ExitCode verify(Context& context, const Common& common) {
    auto verdict = pretrain::verify_resume(options_, verify_steps_, common.output + ".verify", context,
                                           [&] { return common.resolved_config(); });
    Summary summary;
    summary.unit = "files";
    summary.interrupted = verdict.interrupted;
    for (auto& file : verdict.files) {
      ++summary.in;
      file.difference.empty() ? ++summary.kept : ++summary.dropped;
      if (!common.json)
        std::printf("%-45s %15s bytes  %s\n", file.name.c_str(), format_count(file.bytes).c_str(),
                    file.difference.empty() ? "equal" : ("DIFFERS: " + file.difference).c_str());
    }
    summary.metrics = {{"steps", static_cast<double>(verdict.steps)},
                       {"resumed_from", static_cast<double>(verdict.resumed_from)},
                       {"different_files", static_cast<double>(summary.dropped)}};
    if (!verdict.interrupted && !common.json)
      std::printf("resume %s: broken off behind step %lld, resumed from %lld, stopped behind %lld, resumed to %lld\n",
                  verdict.equal() ? "is exact" : "is NOT exact", static_cast<long long>(verdict.broken_off_at),
                  static_cast<long long>(verdict.resumed_from), static_cast<long long>(verdict.stopped_at),
                  static_cast<long long>(verdict.steps));
    ExitCode code = common.finish(summary);
    return code == ExitCode::done && !verdict.equal() ? ExitCode::gate_failed : code;
  }

  static std::string figures(const engine::FitResult& fit) {
    std::string text = format_count(static_cast<uint64_t>(fit.step)) + " steps";
    char figure[80];
    for (auto& v : fit.validation) {
      if (v.detail()) continue;
      std::snprintf(figure, sizeof figure, ", %s %.4f", v.name.c_str(), v.value);
      text += figure;
    }
    if (fit.step_seconds > 0)
      text += ", " + format_count(static_cast<uint64_t>(static_cast<double>(fit.session_tokens) / fit.step_seconds)) +
              " tokens/s";
    return text;
  }

  pretrain::PretrainOptions options_;
  int64_t verify_steps_ = 0, show_step_ = 0;
};

}  // namespace

pretrain::PretrainOptions& pretrain_options(Command& command) {
  return dynamic_cast<PretrainCommand&>(command).options();
}

std::unique_ptr<Command> make_pretrain() {
  return std::make_unique<PretrainCommand>();
}

}  // namespace llmkit::cli
