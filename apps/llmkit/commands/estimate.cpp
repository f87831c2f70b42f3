// llmkit estimate: what a configuration costs, before it is run.
#include "pretrain/estimate.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "base/chart.h"
#include "base/units.h"
#include "commands/pretrain.h"
#include "formats/token_shards.h"
#include "pretrain/data.h"
#include "pretrain/parallel_plan.h"
#include "pretrain/plan.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::cli {
namespace {

constexpr int64_t kCharacters = 128;  // of a text in one script, where the text is not there to count

std::string bytes(double n) {
  return format_bytes(n);
}
std::string duration(double seconds) {
  return seconds < 10 ? fmt::format("{:.4g} ms", 1e3 * seconds) : format_seconds(seconds);
}

std::string rate(double tokens_per_second) {
  return format_count(static_cast<uint64_t>(tokens_per_second)) + " tokens/s";
}

void line(const std::string& name, const std::string& value) {
  std::printf("  %-34s %s\n", name.c_str(), value.c_str());
}
void heading(const char* text) {
  std::printf("%s\n", text);
}

class EstimateCommand final : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        .name = "estimate",
        .group = "Models",
        .summary = "time and memory that a run will take",
        .examples = {"llmkit estimate --config gpt2-124m --steps 10000",
                     "llmkit estimate --config 10m --vocab 8000 --check",
                     "llmkit estimate --config gpt2-124m --ranks 1,2,4,8 --no-measure"},
        .details =
            "Takes the options and configs of pretrain. Parameters, arithmetic (6 per matrix parameter and token plus "
            "attention: Chowdhery et "
            "al., PaLM, 2022, appendix B) and memory (the plan of the run itself) are counted. Times come from two "
            "short measurements on "
            "this machine: training steps of the same model with two small numbers of layers, whose line is drawn out "
            "to all of them, "
            "and decoding behind two lengths of context: a token takes k x context + b.\n"
            "--check runs the whole model too and prints predicted beside measured; training_error and decoding_error "
            "are the "
            "differences as shares, for --max training_error=0.15. Other programs on the machine spoil both: use a "
            "quiet one.\n"
            "--ranks shows what each rank would hold and send under data, tensor and pipeline parallelism and ZeRO "
            "(llmkit help "
            "parallelism).",
        .uses =
            kUsesThreads | kUsesSeed | kUsesJson | kUsesManifest | kUsesMaxBad | kUsesMemory | kUsesGates | kUsesIsa,
        .configs_of = "pretrain"};
    return info;
  }

  void declare(Options& o) override {
    training_->declare(o);
    o.group("Estimate");
    o.integer("--vocab", &vocabulary_, "N",
              "tokens in the vocabulary; 0 = of --data or --tokenizer, else of the architecture", 0, 1 << 30);
    o.boolean("--measure", &measure_, "measure; without it only count");
    o.boolean("--check", &check_, "run the whole model as well and compare");
    o.text("--ranks", &ranks_, "N,N,…", "also memory and traffic of so many ranks");
    o.integer("--answer-prompt", &prompt_tokens_, "N",
              "tokens of the prompt in the example of an answer; 0 = half the context", 0, 1 << 22);
    o.integer("--answer-tokens", &answer_tokens_, "N", "tokens of that answer", 1, 1 << 22);
    o.real("--hourly-price", &hourly_price_, "X", "of this machine, for the cost of the run; 0 = not shown", 0, 1e9);
  }

  ExitCode run(Context& context, const Common& common) override {
    const pretrain::PretrainOptions& options = pretrain_options(*training_);
    uint64_t data_tokens = 0;
    int64_t vocabulary = find_vocabulary(options, data_tokens);
    pretrain::Estimate estimate = pretrain::count_costs(options, vocabulary);
    if (estimate.steps == 0 && options.train.epochs > 0)
      estimate.steps = options.train.epochs * static_cast<double>(data_tokens) / estimate.step_tokens;
    Summary summary;
    summary.metrics = {{"parameters", static_cast<double>(estimate.parameters)},
                       {"flops_per_token", estimate.training_flops},
                       {"training_bytes", static_cast<double>(estimate.training_memory.total())},
                       {"kv_bytes_per_token", estimate.kv_bytes_per_token}};
    if (!common.json) print_counts(estimate, vocabulary);
    if (!ranks_.empty() && !common.json) print_ranks(estimate, options);
    if (measure_ || check_) {
      measure_times(estimate, options, context);
      if (!context.stop.requested()) {
        add_times(summary, estimate, options);
        if (!common.json) print_times(estimate, options);
      }
    }
    if (check_ && !context.stop.requested()) check(estimate, options, context, common, summary);
    summary.interrupted = context.stop.requested();
    return common.finish(summary);
  }

 private:
  int64_t find_vocabulary(const pretrain::PretrainOptions& options, uint64_t& data_tokens) const {
    const auto& data = options.data;
    int64_t of_shards = 0;
    if (!data.data.empty()) {
      for (auto& entry : pretrain::parse_entries(data.data)) {
        if (!std::filesystem::exists(entry.path + "/manifest.json")) continue;
        auto shards = formats::TokenShards::open(entry.path);
        data_tokens += static_cast<uint64_t>(shards.total_tokens());
        of_shards = shards.vocab_size();
      }
    }
    if (vocabulary_ > 0) return vocabulary_;
    if (of_shards > 0) return of_shards;
    if (data.tokenizer == "char") return kCharacters;
    if (!data.tokenizer.empty()) return tokenizer::Tokenizer::load(data.tokenizer).vocab_size();
    return options.model.arch == "gpt2" ? 50257 : 32000;
  }

  static void print_counts(const pretrain::Estimate& e, int64_t vocabulary) {
    auto count = [](double n) { return short_number(n); };
    heading("Model");
    line("parameters", format_count(static_cast<uint64_t>(e.parameters)) + " (" +
                           count(static_cast<double>(e.embedding_parameters)) + " in the embedding)");
    line("shape", fmt::format("{} layers, {} wide, {} heads ({} for keys and values), context {}, vocabulary {}",
                              e.config.layers, e.config.hidden_size, e.config.heads, e.config.kv_heads,
                              e.config.max_positions, vocabulary));
    line("checkpoint", bytes(e.checkpoint_bytes));
    heading("Arithmetic");
    line("a token, forward", count(e.forward_flops) + "FLOP");
    line("a token, training", count(e.training_flops) + "FLOP");
    line("a step of " + count(e.step_tokens) + " tokens", count(e.training_flops * e.step_tokens) + "FLOP");
    if (e.steps > 0)
      line("the run of " + count(e.steps) + " steps", count(e.training_flops * e.step_tokens * e.steps) + "FLOP");
    heading("Memory of training");
    std::istringstream plan(e.training_memory.text());
    for (std::string text; std::getline(plan, text);) std::printf("  %s\n", text.c_str());
    heading("Memory of decoding");
    line("weights (f32)", bytes(e.weight_bytes));
    line("keys and values, each token", bytes(e.kv_bytes_per_token));
    line("keys and values, whole context", bytes(e.kv_bytes_per_token * static_cast<double>(e.config.max_positions)));
  }

  void print_ranks(const pretrain::Estimate& e, const pretrain::PretrainOptions& options) const {
    std::vector<int64_t> ranks;
    std::istringstream list(ranks_);
    for (std::string item; std::getline(list, item, ',');) {
      char* end = nullptr;
      long long n = std::strtoll(item.c_str(), &end, 10);
      if (item.empty() || *end != '\0' || n < 1 || n > (1 << 20))
        throw UsageError(ErrorParts{"", "--ranks", "whole numbers with commas between", item, {}});
      ranks.push_back(n);
    }
    heading("Spread over ranks (formulas: llmkit help parallelism)");
    std::printf("  %-16s %6s %11s %11s %11s %11s %11s %11s %6s\n", "", "ranks", "weights", "gradients", "optimiser",
                "activations", "a rank", "sent/step", "idle");
    pretrain::ParallelRequest request{options.train.batch, options.model.context, options.train.accumulation};
    for (auto& plan : pretrain::parallel_plans(e.config, e.training_memory, request, ranks))
      std::printf("  %-16s %6lld %11s %11s %11s %11s %11s %11s %5.0f%%\n", plan.kind.c_str(),
                  static_cast<long long>(plan.ranks), bytes(plan.weights).c_str(), bytes(plan.gradients).c_str(),
                  bytes(plan.optimizer).c_str(), bytes(plan.activations).c_str(), bytes(plan.total()).c_str(),
                  bytes(plan.sent).c_str(), 100 * plan.idle);
  }

  static double step_seconds(const pretrain::Estimate& e, const pretrain::PretrainOptions& options) {
    return e.training.step(options.train.accumulation);
  }

  static void add_times(Summary& summary, const pretrain::Estimate& e, const pretrain::PretrainOptions& options) {
    double step = step_seconds(e, options);
    summary.metrics.emplace_back("step_seconds", step);
    summary.metrics.emplace_back("tokens_per_second", e.step_tokens / step);
    if (e.steps > 0) summary.metrics.emplace_back("run_seconds", e.steps * step);
    summary.metrics.emplace_back("token_seconds_fixed", e.decoding.b);
    summary.metrics.emplace_back("token_seconds_per_context", e.decoding.k);
  }

  void print_times(const pretrain::Estimate& e, const pretrain::PretrainOptions& options) const {
    double step = step_seconds(e, options);
    heading("Time of training on this machine");
    line("micro-batch, update", duration(e.training.micro_batch) + ", " + duration(e.training.update));
    line("step", duration(step) + ", " + rate(e.step_tokens / step) +
                     fmt::format(", {:.1f} GFLOP/s", e.training_flops * e.step_tokens / step / 1e9));
    if (e.steps > 0) {
      line("the run", format_seconds(e.steps * step) + " (validation and checkpoints not counted)");
      if (hourly_price_ > 0) line("its cost", fmt::format("{:.2f}", hourly_price_ * e.steps * step / 3600));
    }
    double context = static_cast<double>(e.config.max_positions);
    if (e.decoding.token(1) <= 0) return;  // not measured
    heading("Time of decoding on this machine, one sequence");
    line("a token behind x others",
         fmt::format("k x + b = {:.4g} us x + {:.4g} ms", 1e6 * e.decoding.k, 1e3 * e.decoding.b));
    for (double share : {0.0, 0.5, 1.0}) {
      double seconds = e.decoding.token(share * context);
      line(fmt::format("  behind {:.0f}", share * context), duration(seconds) + ", " + rate(1 / seconds));
    }
    double prompt = prompt_tokens_ > 0 ? static_cast<double>(prompt_tokens_) : context / 2,
           answer = static_cast<double>(answer_tokens_);
    double first = e.decoding.prompt(prompt), rest = e.decoding.tokens(prompt, answer);
    line(fmt::format("an answer of {:.0f} tokens to {:.0f}", answer, prompt),
         format_seconds(first + rest) + " (the prompt " + format_seconds(first) + ", " + rate(prompt / first) + ")");
    if (hourly_price_ > 0) line("its cost", fmt::format("{:.3g}", hourly_price_ * (first + rest) / 3600));
  }

  static void check(const pretrain::Estimate& e, const pretrain::PretrainOptions& options, Context& context,
                    const Common& common, Summary& summary) {
    pretrain::Measured measured = measure_whole(e, options, context);
    if (context.stop.requested()) return;
    double predicted_step = step_seconds(e, options), step = measured.training.step(options.train.accumulation);
    auto behind = static_cast<double>(measured.prompt_tokens), count = static_cast<double>(measured.decoded_tokens);
    double predicted_prompt = e.decoding.prompt(behind), predicted_tokens = e.decoding.tokens(behind, count);
    if (!common.json) {
      heading("Predicted and measured");
      std::printf("  %-34s %12s %12s %8s\n", "", "predicted", "measured", "");
    }
    auto compare = [&](const std::string& name, const char* metric, double predicted, double found) {
      double error = predicted / found - 1;
      if (!common.json)
        std::printf("  %-34s %12s %12s %+7.1f%%\n", name.c_str(), duration(predicted).c_str(), duration(found).c_str(),
                    100 * error);
      summary.metrics.emplace_back(metric, std::abs(error));
    };
    compare("a step", "training_error", predicted_step, step);
    compare(fmt::format("a prompt of {:.0f} tokens", behind), "prompt_error", predicted_prompt, measured.prompt);
    compare(fmt::format("{:.0f} tokens behind it", count), "decoding_error", predicted_tokens, measured.decoding);
  }

  std::unique_ptr<Command> training_ = make_pretrain();
  int64_t vocabulary_ = 0, prompt_tokens_ = 0, answer_tokens_ = 256;
  bool measure_ = true, check_ = false;
  std::string ranks_;
  double hourly_price_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_estimate() {
  return std::make_unique<EstimateCommand>();
}

}  // namespace llmkit::cli
