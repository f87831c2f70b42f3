// The measurements behind estimate.h.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/rng.h"
#include "engine/lm_objective.h"
#include "optim/optimizer.h"
#include "pretrain/estimate.h"
#include "pretrain/plan.h"

namespace llmkit::pretrain {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kDecodingBytes = 768e6;            // weights of the model that decoding is measured on, at most
constexpr size_t kTrainingBytes = size_t{4} << 30;  // of a step of the deeper of the two models, at most
constexpr int64_t kMostLayers = 4;
constexpr int kRounds = 5, kDecodingRounds = 15;  // memory's speed changes more than arithmetic's

double seconds_of(const std::function<void()>& work) {
  auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// What else runs on a machine only ever adds: the fastest round says most about the work itself.
double least(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

models::ModelConfig with_layers(const models::ModelConfig& config, int64_t layers) {
  models::ModelConfig out = config;
  out.layers = layers;
  return out;
}

engine::TokenStream random_tokens(int64_t vocabulary, uint64_t count) {
  return {count, [vocabulary](uint64_t position, std::span<int32_t> out) {
            for (size_t i = 0; i < out.size(); ++i)
              out[i] = static_cast<int32_t>(Rng{0x657374, position + i}.uniform() * static_cast<double>(vocabulary));
          }};
}

// A model with its optimiser that can be asked for one more step.
class Trainer {
 public:
  Trainer(const models::ModelConfig& config, const PretrainOptions& options, Context& context)
      : options_(options),
        model_(models::Model::create(config, context.seed, context.parallel, model_options(options))),
        loader_(random_tokens(config.vocab_size,
                              static_cast<uint64_t>(64 * options.train.batch * options.model.context + 1)),
                {}, windows(options)),
        objective_(*model_, loader_, context.parallel, lm_options(options)),
        exec_{context.parallel, workspace_},
        optimizer_(optim::optimizers().make(optimizer_spec(options.train))) {
    optimizer_->attach(model_->parameters(), options.train.ema);
  }

  TrainingTime step() {
    TrainingTime time;
    objective_.begin(step_);
    model_->parameters().clear_gradients();
    // The first micro-batch of a step packs the weights for all and overwrites the gradients: what it takes longer (or
    // shorter) than the next belongs to the step, as the update does.
    double first = seconds_of([&] { objective_.accumulate(step_, 0); });
    time.micro_batch = first;
    if (options_.train.accumulation > 1) time.micro_batch = seconds_of([&] { objective_.accumulate(step_, 1); });
    time.update = first - time.micro_batch + seconds_of([&] {
                    double norm = optim::gradient_norm(exec_, model_->parameters());
                    optimizer_->step(exec_, {step_ + 1, 1e-5, optim::clip_scale(norm, options_.train.clip)});
                  });
    ++step_;
    return time;
  }

 private:
  static engine::WindowOptions windows(const PretrainOptions& options) {
    engine::WindowOptions out;
    out.length = options.model.context;
    out.sequences = out.validation_sequences = options.train.batch;
    out.micro_batches = std::min<int64_t>(options.train.accumulation, 2);
    return out;
  }
  static models::ModelOptions model_options(const PretrainOptions& options) {
    models::ModelOptions out;
    out.recompute = plan_request(options).recompute;
    return out;
  }
  static engine::LmOptions lm_options(const PretrainOptions& options) {
    engine::LmOptions out;
    out.precision = plan_request(options).precision;
    out.keep_packed = plan_request(options).keep_packed;
    out.z_loss = options.train.z_loss;
    return out;
  }

  const PretrainOptions& options_;
  std::unique_ptr<models::Model> model_;
  engine::WindowLoader loader_;
  engine::LmObjective objective_;
  kernels::Workspace workspace_;
  kernels::Exec exec_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  int64_t step_ = 0;
};

// Two depths in turn, so that a machine that changes its speed meanwhile changes both.
void time_training(Estimate& estimate, const PretrainOptions& options, Context& context) {
  int64_t layers = estimate.config.layers;
  int64_t deep = std::clamp<int64_t>(layers * 2 / 3, 1, kMostLayers);
  while (deep > 2 && memory_plan(options, with_layers(estimate.config, deep)).total() > kTrainingBytes) --deep;
  int64_t shallow = std::max<int64_t>(1, deep / 3);
  estimate.measured_layers[0] = shallow;
  estimate.measured_layers[1] = deep;
  log::info("estimate: training steps with " + std::to_string(shallow) + " and " + std::to_string(deep) + " of " +
            std::to_string(layers) + " layers");
  Trainer small(with_layers(estimate.config, shallow), options, context),
      large(with_layers(estimate.config, deep), options, context);
  std::vector<double> micro[2], update[2];
  small.step();  // memory and packed weights
  large.step();
  for (int round = 0; round < kRounds && !context.stop.requested(); ++round) {
    for (int which = 0; which < 2; ++which) {
      TrainingTime time = (which == 0 ? small : large).step();
      micro[which].push_back(time.micro_batch);
      update[which].push_back(time.update);
    }
  }
  if (micro[0].empty()) return;
  estimate.training.micro_batch = line_through(shallow, least(micro[0]), deep, least(micro[1])).at(layers);
  estimate.training.update = line_through(shallow, least(update[0]), deep, least(update[1])).at(layers);
}

// A model that reads a prompt and then one token after the other.
class Speaker {
 public:
  Speaker(const models::ModelConfig& config, Context& context)
      : model_(models::Model::create(config, context.seed, context.parallel, {.training = false})),
        tape_(context.parallel, {.recording = false}),
        logits_(static_cast<size_t>(config.vocab_size)) {}

  double prompt(int64_t tokens) {
    state_ = model_->new_state();
    state_->reserve(std::min(tokens + 64, model_->config().max_positions));
    std::vector<int32_t> ids(static_cast<size_t>(tokens), 1);
    return seconds_of([&] { read(ids); });
  }
  double next_tokens(int64_t count) {
    std::vector<int32_t> one(1, 2);
    return seconds_of([&] {
      for (int64_t i = 0; i < count; ++i) read(one);
    });
  }

 private:
  void read(const std::vector<int32_t>& ids) {
    models::DecodeChunk chunk;
    chunk.state = state_.get();
    chunk.tokens = ids;
    tape_.begin();
    model_->decode(tape_, {&chunk, 1}, logits_);
  }

  std::unique_ptr<models::Model> model_;
  Tape tape_;
  std::unique_ptr<models::DecodeState> state_;
  std::vector<float> logits_;
};

struct DecodingTimes {
  double prompt[2] = {0, 0}, token[2] = {0, 0};  // at both lengths
};

constexpr int64_t kTokensEach = 32;  // the first of them find the caches full of the prompt

DecodingTimes time_speaker(Speaker& speaker, const int64_t (&lengths)[2], Context& context) {
  std::vector<double> prompt[2], token[2];
  speaker.prompt(lengths[0]);  // packed weights
  speaker.next_tokens(1);
  for (int round = 0; round < kDecodingRounds && !context.stop.requested(); ++round) {
    for (int which = 0; which < 2; ++which) {
      prompt[which].push_back(speaker.prompt(lengths[which]));
      token[which].push_back(speaker.next_tokens(kTokensEach) / kTokensEach);
    }
  }
  if (prompt[0].empty()) return {};
  return {{least(prompt[0]), least(prompt[1])}, {least(token[0]), least(token[1])}};
}

void time_decoding(Estimate& estimate, Context& context) {
  const models::ModelConfig& config = estimate.config;
  int64_t most = config.max_positions - kTokensEach - 1;
  if (most < 4) return;
  // The longer one reaches to the end of a short context, so that little is drawn out.
  const int64_t lengths[2] = {std::clamp<int64_t>(config.max_positions / 4, 2, 128),
                              std::clamp<int64_t>(config.max_positions * 7 / 8, 3, std::min<int64_t>(most, 768))};
  // As many layers as memory allows: what fits into the caches decodes faster than what does not.
  double embedding = static_cast<double>(estimate.embedding_parameters),
         layer = (static_cast<double>(estimate.parameters) - embedding) / static_cast<double>(config.layers);
  auto deep = std::clamp<int64_t>(static_cast<int64_t>((kDecodingBytes / 4 - embedding) / layer),
                                  std::min<int64_t>(2, config.layers), config.layers);
  int64_t shallow = deep == config.layers ? deep : std::max<int64_t>(1, deep / 2);
  log::info("estimate: decoding behind " + std::to_string(lengths[0]) + " and " + std::to_string(lengths[1]) +
            " tokens with " + std::to_string(deep) + " of " + std::to_string(config.layers) + " layers");
  DecodingTimes large, small;
  {
    Speaker speaker(with_layers(config, deep), context);
    large = small = time_speaker(speaker, lengths, context);
  }
  if (shallow != deep) {
    Speaker speaker(with_layers(config, shallow), context);
    small = time_speaker(speaker, lengths, context);
  }
  double prompt[2], token[2];
  for (int i = 0; i < 2; ++i) {
    prompt[i] = deep == config.layers ? large.prompt[i]
                                      : line_through(shallow, small.prompt[i], deep, large.prompt[i]).at(config.layers);
    token[i] = deep == config.layers ? large.token[i]
                                     : line_through(shallow, small.token[i], deep, large.token[i]).at(config.layers);
  }
  auto n0 = static_cast<double>(lengths[0]), n1 = static_cast<double>(lengths[1]),
       half = static_cast<double>(kTokensEach - 1) / 2;
  DecodingTime& out = estimate.decoding;
  // Measuring errors give no part less than nothing.
  out.k = std::clamp((token[1] - token[0]) / (n1 - n0), 0.0, token[1] / (n1 + half));
  out.b = token[1] - out.k * (n1 + half);
  out.prompt_per_pair = std::clamp((prompt[1] / n1 - prompt[0] / n0) / (n1 - n0), 0.0, prompt[1] / (n1 * n1));
  out.prompt_per_token = prompt[1] / n1 - out.prompt_per_pair * n1;
}

}  // namespace

void measure_times(Estimate& estimate, const PretrainOptions& options, Context& context) {
  time_training(estimate, options, context);
  time_decoding(estimate, context);
}

Measured measure_whole(const Estimate& estimate, const PretrainOptions& options, Context& context) {
  Measured out;
  {
    Trainer trainer(estimate.config, options, context);
    std::vector<double> micro, update;
    trainer.step();
    for (int round = 0; round < kRounds && !context.stop.requested(); ++round) {
      TrainingTime time = trainer.step();
      micro.push_back(time.micro_batch);
      update.push_back(time.update);
    }
    if (micro.empty()) return out;
    out.training = {least(micro), least(update)};
  }
  // Another length than those measured, and longer.
  out.prompt_tokens = std::max<int64_t>(1, estimate.config.max_positions * 3 / 4);
  out.decoded_tokens = std::min<int64_t>(32, estimate.config.max_positions - out.prompt_tokens);
  Speaker speaker(estimate.config, context);
  speaker.prompt(1);
  std::vector<double> prompt, tokens;
  for (int round = 0; round < kDecodingRounds && !context.stop.requested(); ++round) {
    prompt.push_back(speaker.prompt(out.prompt_tokens));
    tokens.push_back(speaker.next_tokens(out.decoded_tokens));
  }
  if (prompt.empty()) return out;
  out.prompt = least(prompt);
  out.decoding = least(tokens);
  return out;
}

}  // namespace llmkit::pretrain
