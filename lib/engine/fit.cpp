#include "engine/fit.h"

#include <chrono>
#include <cmath>
#include <memory>

#include "base/log.h"
#include "base/version.h"
#include "engine/checkpoint.h"
#include "engine/data_parallel.h"
#include "engine/fit_state.h"
#include "engine/metrics.h"
#include "engine/monitor.h"
#include "io/files.h"
#include "kernels/exec.h"
#include "optim/loss_scale.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

namespace llmkit::engine {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool due(int64_t step, int64_t every, int64_t last) {
  return step == last || (every > 0 && step % every == 0);
}

class Loop {
 public:
  Loop(Objective& objective, nn::ParameterStore& parameters, const FitOptions& options, RunFolder& run,
       Context& context)
      : objective_(objective),
        parameters_(parameters),
        options_(options),
        run_(run),
        context_(context),
        exec_{context.parallel, workspace_},
        optimizer_(optim::optimizers().make(options.optimizer)),
        ranks_(context.ranks, parameters, options.grad_groups, *optimizer_),
        schedule_(optim::schedules().make(options.schedule)),
        detector_(options.anomaly),
        monitor_({options.steps, options.flops_per_token, options.peak_flops}, run, context) {
    ranks_.attach(*optimizer_, options.ema);
    state_.identity = options.identity;
    retention_ = {options.keep_checkpoints, options.checkpoint_every > 0 ? options.checkpoint_every : options.steps,
                  options.milestone_every};
  }

  FitResult run() {
    started_ = Clock::now();
    ranks_.expect_same_everywhere(settings());
    resume();
    if (options_.accepted && ranks_.leader()) options_.accepted();
    // Where a rewind before the first scheduled checkpoint goes.
    if (options_.anomaly.policy == AnomalyPolicy::rewind && state_.step == 0 && saved_step_ != 0) save();
    while (state_.step < options_.steps) {
      bool break_off = options_.stop_after > 0 && state_.step >= options_.stop_after;
      Asked asked = ranks_.any({context_.stop.requested(), context_.stop.take_save_request()});
      if (break_off || asked.stop) {
        if (saved_step_ != state_.step && !(break_off && !options_.save_at_stop)) save();
        result_.interrupted = true;
        break;
      }
      if (asked.save && saved_step_ != state_.step) {
        save();
        log::info("checkpoint of step " + std::to_string(state_.step) + " saved");
      }
      if (!train_step()) continue;
      if (due(state_.step, options_.validate_every, options_.steps)) validate();
      if (due(state_.step, options_.sample_every, options_.steps)) sample();
      if (due(state_.step, options_.checkpoint_every, options_.steps) || retention_.milestone(state_.step)) save();
    }
    if (!result_.interrupted && optimizer_->averages()) export_average();
    result_.step = state_.step;
    result_.loss = state_.loss;
    result_.validation = state_.validation;
    result_.anomalies = detector_.state().total;
    result_.rewinds = static_cast<int64_t>(state_.rewinds.size());
    result_.tokens = state_.tokens;
    result_.session_tokens = monitor_.session_tokens();
    result_.step_seconds = monitor_.session_step_seconds();
    result_.peak_memory = peak_resident_bytes();
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
                           {"milestone-every", number(options_.milestone_every)},
                           {"statistics-every", number(options_.statistics_every)},
                           {"anomaly policy", number(static_cast<int>(options_.anomaly.policy))},
                           {"spike-sigmas", number(options_.anomaly.sigmas)},
                           {"rewind-around", number(options_.rewind.around)},
                           {"stop after", number(options_.stop_after)}});
    return all;
  }

  // Rank 0 reads; the others are told.
  void resume() {
    if (ranks_.leader()) load_newest();
    tell_state(false);
    for (auto& note : result_.notes) log::warning(note);
    bool complete = monitor_.start(state_.logs, state_.step);
    // The checkpoint has to speak of the logs that there are, or a second resume would cut them elsewhere.
    if (ranks_.any({false, !complete}).save) save();
  }

  // `rewound`: there is optimiser state to be told even at step 0.
  void tell_state(bool rewound) {
    if (ranks_.ranks().size() == 1) return;
    state_.anomaly = detector_.state();
    state_.loss_scale = scaler_.state();
    std::string text = write_state(state_);
    broadcast_text(ranks_.ranks(), text);
    if (!ranks_.leader()) {
      state_ = read_state(text, "what rank 0 told");
      detector_.restore(state_.anomaly);
      scaler_.restore(state_.loss_scale);
      result_.resumed_from = state_.step;
      if (state_.step > 0) saved_step_ = state_.step;
    }
    dispatch(parameters_.dtype(),
             [&]<class T>() { broadcast(ranks_.ranks(), std::as_writable_bytes(parameters_.values<T>())); });
    parameters_.values_changed();
    if (rewound || state_.step > 0) ranks_.hand_out_state(*optimizer_);
  }

  void load_newest() {
    if (auto checkpoint = newest_valid_checkpoint(run_.checkpoints(), result_.notes)) {
      restore(*checkpoint);
      result_.resumed_from = state_.step;
    } else if (!result_.notes.empty()) {
      // Beginning anew would cut the logs and then remove what may still be of use.
      throw Error(ErrorParts{"no checkpoint to resume from is whole",
                             run_.checkpoints(),
                             {},
                             result_.notes.front(),
                             "put a sound copy in its place, or start anew with --force"});
    }
  }

  void restore(const Checkpoint& checkpoint) {
    std::string where = checkpoint.path + "/state.json";
    FitState saved = read_state(io::read_file(where), where);
    follow_length(saved);
    expect_same_run(saved, options_.identity);
    objective_.load_weights(checkpoint.path);
    parameters_.values_changed();
    load_optimizer(checkpoint.path + "/optimizer.safetensors", *optimizer_, parameters_);
    detector_.restore(saved.anomaly);
    scaler_.restore(saved.loss_scale);
    state_ = std::move(saved);
    saved_step_ = state_.step;
  }

  optim::ScheduleArgs schedule_args(int64_t steps) const {
    return {options_.learning_rate, options_.min_learning_rate, options_.warmup_steps, steps};
  }

  // A run of another length is the same run up to where the learning rate would first have been another: `constant`
  // goes on for ever, wsd until its decay begins.
  void follow_length(FitState& saved) const {
    for (auto& [name, value] : saved.identity) {
      if (name != "steps") continue;
      const auto before = schedule_args(std::strtoll(value.c_str(), nullptr, 10)), now = schedule_args(options_.steps);
      int64_t same = 0;
      while (same < saved.step && schedule_->rate(same, before) == schedule_->rate(same, now)) ++same;
      if (same < saved.step || saved.step > options_.steps)
        throw UsageError(ErrorParts{"cannot resume with another number of steps", "step " + std::to_string(saved.step),
                                    value, std::to_string(options_.steps),
                                    "only at a step that both lengths reach with the same learning rates (schedule "
                                    "constant, or wsd before its decay); --force starts a new run instead"});
      value = std::to_string(options_.steps);
    }
  }

  void load_scheduled(int64_t from_step, const std::string& reason) {
    std::vector<std::string> notes;
    auto checkpoint = newest_scheduled_checkpoint(run_.checkpoints(), retention_, state_.step, notes);
    for (auto& note : notes) log::warning(note);
    if (!checkpoint) give_up(from_step, reason + ", and there is no checkpoint to go back to");
    restore(*checkpoint);
  }

  // False where the step was refused and the run went back instead.
  bool train_step() {
    auto begin = Clock::now();
    int64_t step = state_.step, data = next_data_step(state_.data_step, state_.rewinds);
    StepShape shape = objective_.begin(data);
    bool watched = options_.statistics_every > 0 && (step + 1) % options_.statistics_every == 0;
    activations_.clear();
    objective_.observe(watched ? &activations_ : nullptr);
    double loss_scale = options_.scale_loss ? scaler_.scale() : 1;
    objective_.set_loss_scale(loss_scale);
    double loss = ranks_.accumulate(objective_, data, shape.micro_batches, exec_);
    objective_.observe(nullptr);
    std::vector<LayerStatistics> layers;
    if (watched) ranks_.share_gradients();
    if (watched) layers = layer_statistics(exec_, parameters_, activations_);
    for (auto& layer : layers) layer.gradient /= loss_scale;

    auto update_begin = Clock::now();
    double norm = ranks_.gradient_norm(exec_) / loss_scale;
    bool overflow = options_.scale_loss && !scaler_.judge(std::isfinite(norm)) && loss_scale > 1 && std::isfinite(loss);
    double rate = schedule_->rate(step, schedule_args(options_.steps));
    // An overflow of half precision is the scale's fault and no sign of a run going wrong.
    AnomalyVerdict verdict = overflow ? AnomalyVerdict{false, false, false, {}} : detector_.judge(loss, norm);
    if (verdict.stop) give_up(step + 1, verdict.reason);
    if (verdict.rewind) {
      rewind(step + 1, data, verdict.reason);
      return false;
    }
    if (verdict.apply) {
      optimizer_->step(exec_, {step + 1, rate, optim::clip_scale(norm, options_.clip_norm) / loss_scale});
      ranks_.share_values();
    }
    double update_seconds = seconds_since(update_begin), seconds = seconds_since(begin);

    state_.step = step + 1;
    state_.data_step = data + 1;
    state_.tokens += shape.tokens;
    state_.loss = loss;
    monitor_.step({state_.step, loss, rate, norm, state_.tokens}, shape, seconds, update_seconds);
    if (overflow) monitor_.overflow(state_.step, loss_scale, scaler_.scale());
    if (!verdict.reason.empty()) monitor_.anomaly(state_.step, verdict.reason, verdict.apply);
    if (!layers.empty()) monitor_.statistics(state_.step, layers);
    return true;
  }

  // Saved at once: a process that is killed before that meets the same bad step again and goes back to the same place.
  void rewind(int64_t from_step, int64_t bad_data, const std::string& reason) {
    if (ranks_.leader()) load_scheduled(from_step, reason);
    tell_state(true);
    if (rewinds_to(state_.step, state_.rewinds) >= options_.rewind.max_to_one)
      give_up(from_step, reason + ", once more after " + std::to_string(options_.rewind.max_to_one) +
                             " rewinds to step " + std::to_string(state_.step));
    Rewind rewind = plan_rewind(options_.rewind, from_step, state_.step, bad_data, reason);
    monitor_.start(state_.logs, state_.step);
    monitor_.rewind(rewind);
    AnomalyState anomaly = detector_.state();
    ++anomaly.total;
    detector_.restore(std::move(anomaly));
    state_.rewinds.push_back(std::move(rewind));
    save();
  }

  void swap_average() {
    optimizer_->swap_average(exec_);
    ranks_.share_values();
  }

  void validate() {
    state_.validation = objective_.validate();
    if (optimizer_->averages()) {
      swap_average();
      for (auto& v : objective_.validate()) state_.validation.push_back({"ema_" + v.name, v.value});
      swap_average();
    }
    monitor_.validation(state_.step, state_.validation);
  }

  void sample() {
    if (ranks_.leader()) monitor_.sample(state_.step, objective_.sample(state_.step));
  }

  void export_average() {
    swap_average();
    if (ranks_.leader()) {
      io::AtomicFolder folder(run_.file("model-ema"), true);
      objective_.save_weights(folder.work_path());
      folder.finish();
    }
    swap_average();
  }

  void save() {
    saved_step_ = state_.step;
    ranks_.collect_state(*optimizer_);
    if (!ranks_.leader()) return;
    // The logs first: a checkpoint never speaks of bytes that are not on the disk.
    state_.logs = monitor_.sync();
    state_.anomaly = detector_.state();
    state_.loss_scale = scaler_.state();
    save_checkpoint(
        run_.checkpoints(), state_.step,
        [&](const std::string& folder) {
          objective_.save_weights(folder);
          save_optimizer(folder + "/optimizer.safetensors", *optimizer_, parameters_);
          io::write_file_atomically(folder + "/state.json", write_state(state_));
        },
        retention_);
    optimizer_->forget_others();
  }

  [[noreturn]] void give_up(int64_t step, const std::string& reason) {
    run_.metrics().append(anomaly_line(step, reason, false));
    run_.sync_logs();
    throw Error(
        ErrorParts{"training stopped: " + reason,
                   "step " + std::to_string(step),
                   {},
                   {},
                   "begin anew with a lower --lr or more --warmup; --model takes a checkpoint's folder as the start"});
  }

  Objective& objective_;
  nn::ParameterStore& parameters_;
  const FitOptions& options_;
  RunFolder& run_;
  Context& context_;
  kernels::Workspace workspace_;
  kernels::Exec exec_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  DataParallel ranks_;
  std::unique_ptr<optim::Schedule> schedule_;
  AnomalyDetector detector_;
  Retention retention_;
  optim::LossScaler scaler_;
  FitState state_;
  FitResult result_;
  int64_t saved_step_ = -1;
  std::vector<Objective::Activation> activations_;  // of the step in progress, where it is watched
  Monitor monitor_;
  Clock::time_point started_;
};

}  // namespace

FitResult fit(Objective& objective, nn::ParameterStore& parameters, const FitOptions& options, RunFolder& run,
              Context& context) {
  return Loop(objective, parameters, options, run, context).run();
}

}  // namespace llmkit::engine
