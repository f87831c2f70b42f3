#include "engine/fit.h"

#include <chrono>
#include <cstdio>
#include <memory>

#include "base/log.h"
#include "base/units.h"
#include "base/version.h"
#include "engine/checkpoint.h"
#include "engine/data_parallel.h"
#include "engine/fit_state.h"
#include "engine/metrics.h"
#include "io/files.h"
#include "kernels/exec.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

namespace llmkit::engine {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

bool due(int64_t step, int64_t every, int64_t last) { return step == last || (every > 0 && step % every == 0); }

class Loop {
 public:
  Loop(Objective& objective, nn::ParameterStore& parameters, const FitOptions& options, RunFolder& run, Context& context)
      : objective_(objective),
        parameters_(parameters),
        options_(options),
        run_(run),
        context_(context),
        exec_{context.parallel, workspace_},
        ranks_(context.ranks, parameters, options.grad_groups),
        optimizer_(optim::optimizers().make(options.optimizer)),
        schedule_(optim::schedules().make(options.schedule)),
        detector_(options.anomaly) {
    optimizer_->attach(parameters_);
    state_.identity = options.identity;
  }

  FitResult run() {
    started_ = Clock::now();
    ranks_.expect_same_everywhere(settings());
    resume();
    while (state_.step < options_.steps) {
      if (ranks_.any(context_.stop.requested())) {
        if (saved_step_ != state_.step) save();
        result_.interrupted = true;
        break;
      }
      train_step();
      if (due(state_.step, options_.validate_every, options_.steps)) validate();
      if (due(state_.step, options_.sample_every, options_.steps)) sample();
      if (due(state_.step, options_.checkpoint_every, options_.steps)) save();
    }
    result_.step = state_.step;
    result_.loss = state_.loss;
    result_.validation = state_.validation;
    result_.anomalies = detector_.state().total;
    result_.tokens = state_.tokens;
    result_.session_seconds = seconds_since(started_);
    return std::move(result_);
  }

 private:
  // What all ranks must agree on: what makes the run what it is, and when they do something together.
  Settings settings() const {
    auto number = [](auto value) { return std::to_string(value); };
    Settings all = options_.identity;
    all.insert(all.end(), {{"llmkit version", LLMKIT_VERSION},
                           {"number of steps", number(options_.steps)},
                           {"eval-every", number(options_.validate_every)},
                           {"sample-every", number(options_.sample_every)},
                           {"checkpoint-every", number(options_.checkpoint_every)},
                           {"anomaly policy", number(static_cast<int>(options_.anomaly.policy))},
                           {"spike-sigmas", number(options_.anomaly.sigmas)}});
    return all;
  }

  // Rank 0 reads; the others are told.
  void resume() {
    if (ranks_.leader()) load_newest();
    tell_state();
    for (auto& note : result_.notes) log::warning(note);
    run_.open_logs(state_.metrics_bytes, state_.samples_bytes);
  }

  void tell_state() {
    if (ranks_.ranks().size() == 1) return;
    state_.anomaly = detector_.state();
    std::string text = write_state(state_);
    broadcast_text(ranks_.ranks(), text);
    if (!ranks_.leader()) {
      state_ = read_state(text, "what rank 0 told");
      detector_.restore(state_.anomaly);
      result_.resumed_from = state_.step;
      if (state_.step > 0) saved_step_ = state_.step;
    }
    dispatch(parameters_.dtype(), [&]<class T>() {
      broadcast(ranks_.ranks(), std::as_writable_bytes(parameters_.values<T>()));
      for (size_t slot = 0; state_.step > 0 && slot < optimizer_->slots().size(); ++slot)
        broadcast(ranks_.ranks(), std::as_writable_bytes(optimizer_->state<T>(slot)));
    });
    parameters_.values_changed();
  }

  void load_newest() {
    if (auto checkpoint = newest_valid_checkpoint(run_.checkpoints(), result_.notes)) {
      std::string where = checkpoint->path + "/state.json";
      FitState saved = read_state(io::read_file(where), where);
      expect_same_run(saved, options_.identity);
      objective_.load_weights(checkpoint->path);
      parameters_.values_changed();
      load_optimizer(checkpoint->path + "/optimizer.safetensors", *optimizer_, parameters_);
      detector_.restore(saved.anomaly);
      state_ = std::move(saved);
      saved_step_ = state_.step;
      result_.resumed_from = state_.step;
    }
  }

  void train_step() {
    auto begin = Clock::now();
    int64_t step = state_.step;
    StepShape shape = objective_.begin(step);
    double loss = ranks_.accumulate(objective_, step, shape.micro_batches, exec_);

    auto update_begin = Clock::now();
    double norm = optim::gradient_norm(exec_, parameters_);
    double rate = schedule_->rate(
        step, {options_.learning_rate, options_.min_learning_rate, options_.warmup_steps, options_.steps});
    AnomalyVerdict verdict = detector_.judge(loss, norm);
    if (verdict.stop) give_up(step + 1, verdict.reason);
    if (verdict.apply) optimizer_->step(exec_, {step + 1, rate, optim::clip_scale(norm, options_.clip_norm)});
    double update_seconds = seconds_since(update_begin), seconds = seconds_since(begin);

    state_.step = step + 1;
    state_.tokens += shape.tokens;
    state_.loss = loss;
    run_.metrics().append(step_line({state_.step, loss, rate, norm, state_.tokens}));
    if (!verdict.reason.empty()) {
      run_.metrics().append(anomaly_line(state_.step, verdict.reason, verdict.apply));
      log::warning("step " + std::to_string(state_.step) + ": " + verdict.reason +
                   (verdict.apply ? "" : "; the update is left out"));
    }
    record_time(shape, seconds, update_seconds);
  }

  void record_time(const StepShape& shape, double seconds, double update_seconds) {
    result_.session_tokens += shape.tokens;
    result_.step_seconds += seconds;
    double speed = static_cast<double>(shape.tokens) / seconds;
    double mfu = options_.peak_flops > 0 ? speed * options_.flops_per_token / options_.peak_flops : 0;
    run_.timings().append(timing_line({state_.step, seconds, update_seconds, speed, mfu}));
    // A resumed run starts its averages anew: they are for the eye only.
    ++session_steps_;
    double weight = std::max(1.0 / static_cast<double>(session_steps_), 0.02);
    smooth_loss_ += weight * (state_.loss - smooth_loss_);
    double mean_speed = static_cast<double>(result_.session_tokens) / result_.step_seconds;
    char note[160];
    int used = std::snprintf(note, sizeof note, "loss %.4f, %s tokens/s", smooth_loss_,
                             format_count(static_cast<uint64_t>(mean_speed)).c_str());
    if (options_.peak_flops > 0)
      std::snprintf(note + used, sizeof note - static_cast<size_t>(used), ", MFU %.0f %%",
                    100 * mean_speed * options_.flops_per_token / options_.peak_flops);
    context_.progress.update(static_cast<double>(state_.step), static_cast<double>(options_.steps), "steps", note);
  }

  void validate() {
    state_.validation = objective_.validate();
    if (!state_.validation.empty()) run_.metrics().append(validation_line(state_.step, state_.validation));
    std::string text = "step " + std::to_string(state_.step) + ":";
    for (auto& v : state_.validation) {
      char value[64];
      std::snprintf(value, sizeof value, " %s %.4f", v.name.c_str(), v.value);
      text += value;
    }
    if (!state_.validation.empty()) log::info(text);
  }

  void sample() {
    if (!ranks_.leader()) return;
    std::string text = objective_.sample(state_.step);
    if (text.empty()) return;
    run_.samples().append("=== step " + std::to_string(state_.step) + "\n" + text + "\n\n");
  }

  void save() {
    saved_step_ = state_.step;
    if (!ranks_.leader()) return;
    // The logs first: a checkpoint never speaks of bytes that are not on the disk.
    run_.metrics().sync();
    run_.samples().sync();
    state_.metrics_bytes = run_.metrics().bytes();
    state_.samples_bytes = run_.samples().bytes();
    state_.anomaly = detector_.state();
    save_checkpoint(
        run_.checkpoints(), state_.step,
        [&](const std::string& folder) {
          objective_.save_weights(folder);
          save_optimizer(folder + "/optimizer.safetensors", *optimizer_, parameters_);
          io::write_file_atomically(folder + "/state.json", write_state(state_));
        },
        options_.keep_checkpoints);
  }

  [[noreturn]] void give_up(int64_t step, const std::string& reason) {
    run_.metrics().append(anomaly_line(step, reason, false));
    run_.metrics().sync();
    throw Error(ErrorParts{"training stopped: " + reason, "step " + std::to_string(step), {}, {},
                           "a lower --lr or more --warmup; --resume continues from the newest checkpoint"});
  }

  Objective& objective_;
  nn::ParameterStore& parameters_;
  const FitOptions& options_;
  RunFolder& run_;
  Context& context_;
  kernels::Workspace workspace_;
  kernels::Exec exec_;
  DataParallel ranks_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::unique_ptr<optim::Schedule> schedule_;
  AnomalyDetector detector_;
  FitState state_;
  FitResult result_;
  int64_t saved_step_ = -1;
  int64_t session_steps_ = 0;
  double smooth_loss_ = 0;
  Clock::time_point started_;
};

}  // namespace

FitResult fit(Objective& objective, nn::ParameterStore& parameters, const FitOptions& options, RunFolder& run, Context& context) {
  return Loop(objective, parameters, options, run, context).run();
}

}  // namespace llmkit::engine
