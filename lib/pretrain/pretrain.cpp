#include "pretrain/pretrain.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>

#include "base/chart.h"
#include "base/log.h"
#include "base/units.h"
#include "engine/checkpoint.h"
#include "engine/data_parallel.h"
#include "engine/fit_report.h"
#include "engine/fit_state.h"
#include "engine/lm_objective.h"
#include "engine/monitor.h"
#include "engine/prefetch.h"
#include "io/files.h"
#include "kernels/cpu.h"
#include "kernels/peak.h"
#include "models/extend.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "pretrain/continue.h"
#include "pretrain/data.h"
#include "pretrain/init.h"
#include "pretrain/plan.h"

namespace llmkit::pretrain {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// What has to be equal when a run goes on. The thread count may change.
std::vector<std::pair<std::string, std::string>> identity(const PretrainOptions& options, const Data& data,
                                                          uint64_t seed, const models::ModelConfig& config) {
  auto& t = options.train;
  auto real = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", value);
    return std::string(text);
  };
  auto number = [](auto value) { return std::to_string(value); };
  return {{"data", data.fingerprint},
          {"seed", number(seed)},
          {"steps", number(t.steps)},
          {"architecture", config.architecture},
          {"vocabulary", number(config.vocab_size)},
          {"layers", number(config.layers)},
          {"heads", number(config.heads)},
          {"kv-heads", number(config.kv_heads)},
          {"width", number(config.hidden_size)},
          {"ffn", number(config.intermediate_size)},
          {"context", number(options.model.context)},
          {"tied", number(options.model.tied)},
          {"bias", number(options.model.bias)},
          {"rope-base", real(options.model.rope_base)},
          {"dropout", real(options.model.dropout)},
          {"order", options.data.order},
          {"document-mask", number(options.data.document_mask)},
          {"validation-share", real(options.data.validation_share)},
          {"batch", number(t.batch)},
          {"accumulation", number(t.accumulation)},
          {"grad-groups", number(t.grad_groups)},
          {"optimizer", t.optimizer},
          {"lr", real(t.lr)},
          {"min-lr", real(t.min_lr)},
          {"schedule", t.schedule},
          {"warmup", number(t.warmup)},
          {"weight-decay", real(t.weight_decay)},
          {"beta1", real(t.beta1)},
          {"beta2", real(t.beta2)},
          {"epsilon", real(t.epsilon)},
          {"clip", real(t.clip)},
          {"z-loss", real(t.z_loss)},
          {"ema", real(t.ema)},
          {"batch-warmup", number(t.batch_warmup)},
          {"init", options.model.init + (options.model.init == "mup" ? " " + number(options.model.base_width) : "")},
          {"precision", t.precision},
          {"kernels", std::string(kernels::isa_name(kernels::active_isa()))}};
}

std::string saved_value(const std::string& checkpoints, const std::string& name) {
  std::vector<std::string> notes;
  auto checkpoint = engine::newest_valid_checkpoint(checkpoints, notes);
  if (!checkpoint) return {};
  std::string where = checkpoint->path + "/state.json";
  for (auto& [key, value] : engine::read_state(io::read_file(where), where).identity)
    if (key == name) return value;
  return {};
}

// --minutes: times a few micro-batches of the untrained model and plans as many steps as fit. The result is written to
// config.toml as `steps`, so that the run itself depends on no clock; a resumed run takes it from its checkpoint.
int64_t steps_for_minutes(const PretrainOptions& options, engine::LmObjective& objective, engine::WindowLoader& loader,
                          models::Model& model, const std::string& checkpoints, const Communicator& ranks) {
  if (options.run.resume && ranks.leader())
    if (std::string saved = saved_value(checkpoints, "steps"); !saved.empty()) return std::stoll(saved);
  constexpr double kUpdateShare = 1.05;  // the update and what is around it
  constexpr double kReserve = 0.97;      // checkpoints, samples, the start
  objective.begin(0);
  objective.accumulate(0, 0);  // memory and packed weights
  double fastest = 1e30;
  for (int i = 0; i < 3; ++i) {
    auto start = Clock::now();
    objective.accumulate(0, 0);
    fastest = std::min(fastest, seconds_since(start));
  }
  model.parameters().clear_gradients();
  double step = fastest * kUpdateShare * static_cast<double>(options.train.accumulation / ranks.size());
  double per_token = fastest / static_cast<double>(options.train.batch * options.model.context);
  double validation = per_token / 3 * static_cast<double>(loader.validation_targets());  // forward only
  // Steps of a growing batch are shorter: as many more as their micro-batches leave time for.
  int64_t steps = steps_in(options.train.minutes * 60 * kReserve, step, validation, options.run.eval_every);
  return batch_ramp(options.train).steps_for(static_cast<double>(steps * options.train.accumulation));
}

double measured_peak(Precision precision, Parallel& parallel) {
  kernels::Peak peak = kernels::measure_peak(parallel);
  return (precision == Precision::bf16 && peak.bf16_gflops > 0 ? peak.bf16_gflops : peak.f32_gflops) * 1e9;
}

void resolve_lengths(TrainOptions& train, int64_t steps) {
  train.steps = steps;
  train.tokens = train.epochs = train.minutes = 0;
  if (train.warmup < 0) train.warmup = std::min<int64_t>(2000, steps / 50);
  if (train.warmup >= steps && steps > 1)
    log::warning("--warmup " + std::to_string(train.warmup) + " is as long as the run of " + std::to_string(steps) +
                 " steps: the learning rate never reaches --lr");
  if (train.min_lr < 0) train.min_lr = train.lr / 10;
}

void check_rates(const TrainOptions& train) {
  if (train.min_lr > train.lr)
    throw UsageError(
        ErrorParts{"--min-lr", {}, "at most --lr, " + short_number(train.lr), short_number(train.min_lr), {}});
}

void check_memory(const models::MemoryPlan& plan, uint64_t limit, int processes_here) {
  auto pages = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)), page = static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
  uint64_t most = limit > 0 ? limit : pages * page / static_cast<uint64_t>(processes_here);
  if (plan.total() > most)
    throw UsageError(
        ErrorParts{"the run does not fit into memory",
                   {},
                   "at most " + format_bytes(static_cast<double>(most)),
                   format_bytes(static_cast<double>(plan.total())),
                   "a smaller --batch with more --accumulation needs less, and so does --recompute block"});
}

void describe(const PretrainOptions& options, const std::string& architecture, const Data& data,
              const models::MemoryPlan& plan, double flops) {
  log::info("model: " + architecture + ", " + format_count(static_cast<uint64_t>(plan.parameters)) + " parameters, " +
            std::to_string(data.vocab_size) + " tokens in the vocabulary");
  log::info("data: " + format_count(data.train_tokens()) + " tokens to train on, " +
            format_count(data.validation_tokens()) + " to validate on");
  if (auto bad = static_cast<uint64_t>(data.bad.total()); bad > 0)
    log::warning(format_count(bad) + " of " + format_count(data.documents + bad) +
                 " documents are damaged and left out; the first: " + data.bad.first().front());
  log::info(
      "a step: " +
      format_count(static_cast<uint64_t>(options.train.batch * options.train.accumulation * options.model.context)) +
      " tokens of " + format_count(static_cast<uint64_t>(flops / 1e3)) + " kFLOP each");
  std::istringstream lines(plan.text());
  for (std::string line; std::getline(lines, line);) log::info("memory: " + line);
}

void describe_sources(const Data& data, const engine::WindowLoader& loader, int64_t steps) {
  if (data.sources.size() < 2) return;
  std::vector<double> epochs = loader.epochs(steps);
  for (size_t s = 0; s < data.sources.size(); ++s) {
    char line[160];
    std::snprintf(line, sizeof line, "source %s: weight %g, %s tokens, seen %.2f times", data.sources[s].name.c_str(),
                  data.sources[s].weight, format_count(data.sources[s].train.tokens).c_str(), epochs[s]);
    log::info(line);
  }
}

void export_model(engine::LmObjective& objective, const std::string& path) {
  io::AtomicFolder folder(path, true);
  objective.save_weights(folder.work_path());
  folder.finish();
}

}  // namespace

PretrainResult pretrain(PretrainOptions& options, Context& context,
                        const std::function<std::string()>& resolved_config) {
  const bool leader = context.ranks.leader();  // writes all files
  engine::check_ranks(context.ranks.size(), options.train.grad_groups);
  std::unique_ptr<models::Model> base;
  if (!options.model.model.empty()) base = open_base(options, context);
  Data data = open_data(options.data, context);
  models::ModelConfig config =
      base ? base_config(options, *base, data) : model_config(options.model, data.vocab_size, data.tokenizer.get());
  PretrainResult result;
  result.inputs = data.inputs;
  result.documents = data.documents;
  result.bad = data.bad;
  const models::PlanRequest request = plan_request(options, context.ranks.size());
  result.plan = memory_plan(options, config, context.ranks.size());
  auto resident = static_cast<size_t>(engine::resident_bytes());
  size_t counted = base ? result.plan.weights : 0;  // they are in memory already
  result.plan.program = resident - std::min(resident, counted);
  result.flops_per_token = flops_per_token(config, options.model.context);
  int64_t steps = planned_steps(options.train, options.model.context, data.train_tokens());
  describe(options, config.architecture, data, result.plan, result.flops_per_token);
  check_memory(result.plan, context.memory_bytes, context.ranks.ranks_here());
  engine::WindowLoader loader(data.sources, window_options(options, data, context.seed));
  if (options.model.init == "mup" && config.tie_embeddings)
    throw UsageError(ErrorParts{"--init mup needs an output matrix of its own", {}, "--no-tied", {}, {}});
  auto probes = read_probes(options.data.probe, data.tokenizer.get(), options.model.context);
  check_rule({options.model.init, options.model.base_width}, options.train.optimizer);
  check_rates(options.train);
  optim::schedules().make(options.train.schedule);  // throws, before --force removes an earlier run
  if (options.run.dry_run) return result;

  engine::RunMode mode = !leader              ? engine::RunMode::follow
                         : options.run.resume ? engine::RunMode::resume
                         : context.force      ? engine::RunMode::replace
                                              : engine::RunMode::fresh;
  engine::RunFolder run(options.run.output, mode);
  models::ModelOptions model_options;
  model_options.recompute = request.recompute;
  std::unique_ptr<models::Model> model =
      base ? models::extend_vocabulary(std::move(base), config.vocab_size, context.parallel, model_options)
           : models::Model::create(config, context.seed, context.parallel, model_options);
  bool fresh = options.model.model.empty();
  initialise(*model, {options.model.init, options.model.base_width}, context.seed, context.parallel, fresh);
  engine::LmOptions lm;
  lm.precision = request.precision;
  if (lm.precision == Precision::bf16 && !kernels::bf16_is_fast()) {
    log::warning("--precision bf16 is slower than f32 here: the " +
                 std::string(kernels::isa_name(kernels::active_isa())) + " kernels have no bf16 instructions");
  }
  lm.keep_packed = request.keep_packed;
  lm.activation_bytes = result.plan.activations;
  lm.seed = context.seed;
  lm.tokenizer = data.tokenizer.get();
  lm.prompt = options.run.prompt;
  lm.sample_tokens = options.run.sample_tokens;
  lm.z_loss = options.train.z_loss;
  lm.probes = std::move(probes);
  engine::Prefetch batches(loader, 3, context.ranks.rank(), context.ranks.size());
  engine::LmObjective objective(*model, batches, context.parallel, lm);

  if (steps == 0) steps = steps_for_minutes(options, objective, loader, *model, run.checkpoints(), context.ranks);
  // A warm-up that follows from the number of steps stays what it was when a run is made longer.
  if (std::string saved; options.run.resume && leader && options.train.warmup < 0 &&
                         !(saved = saved_value(run.checkpoints(), "warmup")).empty())
    options.train.warmup = std::stoll(saved);
  broadcast_value(context.ranks, steps);
  broadcast_value(context.ranks, options.train.warmup);
  resolve_lengths(options.train, steps);
  describe_sources(data, loader, steps);
  result.peak_flops = options.train.peak_gflops > 0
                          ? options.train.peak_gflops * 1e9
                          : measured_peak(lm.precision, context.parallel) * context.ranks.size();
  log::info(std::to_string(steps) + " steps; kernels: " + std::string(kernels::isa_name(kernels::active_isa())) +
            "; peak: " + format_count(static_cast<uint64_t>(result.peak_flops / 1e9)) + " GFLOP/s " +
            options.train.precision);

  engine::FitOptions fit;
  fit.steps = steps;
  fit.optimizer = optimizer_spec(options.train);
  fit.schedule = options.train.schedule;
  fit.learning_rate = options.train.lr;
  fit.min_learning_rate = options.train.min_lr;
  fit.warmup_steps = options.train.warmup;
  fit.clip_norm = options.train.clip;
  fit.grad_groups = options.train.grad_groups;
  fit.ema = options.train.ema;
  fit.scale_loss = lm.precision == Precision::f16;
  fit.validate_every = options.run.eval_every;
  fit.sample_every = options.run.sample_every;
  fit.checkpoint_every = options.run.checkpoint_every;
  fit.keep_checkpoints = options.run.keep;
  fit.stop_after = options.run.stop_after;
  fit.save_at_stop = options.run.save_at_stop;
  fit.statistics_every = options.run.statistics_every;
  fit.milestone_every = options.run.milestone_every;
  fit.anomaly.policy = engine::parse_anomaly_policy(options.run.anomaly);
  fit.anomaly.sigmas = options.run.spike_sigmas;
  fit.rewind.around = options.run.rewind_around;
  fit.identity = identity(options, data, context.seed, config);
  fit.accepted = [&] { io::write_file_atomically(run.file("config.toml"), resolved_config()); };
  fit.flops_per_token = result.flops_per_token;
  fit.peak_flops = result.peak_flops;
  result.fit = engine::fit(objective, model->parameters(), fit, run, context);

  if (!leader) return result;
  if (!result.fit.interrupted) {
    export_model(objective, run.file("model"));
    result.model_folder = run.file("model");
  }
  result.report = run.file("report.html");
  io::write_file_atomically(result.report, engine::fit_report({"Pre-training", resolved_config(), result.plan.text(),
                                                               run.path(), result.fit}));
  return result;
}

}  // namespace llmkit::pretrain
