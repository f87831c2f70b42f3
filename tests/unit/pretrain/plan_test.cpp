#include "pretrain/plan.h"

#include <doctest/doctest.h>

#include "base/error.h"

using namespace llmkit;
using namespace llmkit::pretrain;

TEST_CASE("GPT-2 small needs 6 x 124 M operations a token, and its attention on top") {
  ModelOptions options;
  options.arch = "gpt2";
  options.layers = options.heads = 12;
  options.width = 768;
  options.context = 1024;
  models::ModelConfig config = model_config(options, 50257, nullptr);
  // 12 x (4 + 8) x 768² + 768 x 50257 matrix parameters; 12 x 12 layers x 768 x 1024 for attention.
  CHECK(flops_per_token(config, 1024) ==
        doctest::Approx(6.0 * (12 * 12 * 768.0 * 768 + 768.0 * 50257) + 144.0 * 768 * 1024));
}

TEST_CASE("grouped heads, gated feed-forward and a window are counted as they are") {
  ModelOptions options;
  options.layers = 2;
  options.heads = 4;
  options.kv_heads = 2;
  options.width = 64;
  options.ffn = 160;
  options.context = 128;
  models::ModelConfig config = model_config(options, 1000, nullptr);
  double matrices = 2 * (64.0 * 16 * (2 * 4 + 2 * 2) + 3 * 64.0 * 160) + 64.0 * 1000;
  CHECK(flops_per_token(config, 128) == doctest::Approx(6 * matrices + 12.0 * 2 * 4 * 16 * 128));
  config.sliding_window = 32;
  CHECK(flops_per_token(config, 128) == doctest::Approx(6 * matrices + 12.0 * 2 * 4 * 16 * 32));
}

TEST_CASE("the length of a run is given once, in one unit, and rounded up to whole steps") {
  TrainOptions train;
  train.batch = 4;
  train.accumulation = 2;
  CHECK_THROWS_WITH_AS(planned_steps(train, 32, 1000), doctest::Contains("how long to train was not said"), UsageError);
  train.tokens = 1000;
  CHECK(planned_steps(train, 32, 1000) == 4);  // 256 tokens a step
  train.steps = 7;
  CHECK_THROWS_WITH_AS(planned_steps(train, 32, 1000), doctest::Contains("given twice"), UsageError);
  train.tokens = 0;
  CHECK(planned_steps(train, 32, 1000) == 7);
  train.steps = 0;
  train.epochs = 2.5;
  CHECK(planned_steps(train, 32, 1000) == 10);
  train.epochs = 0;
  train.minutes = 1;
  CHECK(planned_steps(train, 32, 1000) == 0);  // to be measured
}

TEST_CASE("steps that fit into a time leave room for validation") {
  CHECK(steps_in(100, 1, 0, 0) == 100);
  CHECK(steps_in(100, 1, 10, 10) == 45);  // one validation at the end, a tenth of one for each step
  CHECK(steps_in(1, 50, 0, 0) == 1);
}

TEST_CASE("the memory plan holds the state of the chosen optimiser, shared between the processes") {
  PretrainOptions options;
  options.train.batch = 1;
  models::ModelConfig config = model_config({.layers = 2, .heads = 2, .width = 64, .context = 16}, 500, nullptr);
  auto state = [&](const std::string& optimizer, double ema, int ranks) {
    options.train.optimizer = optimizer;
    options.train.ema = ema;
    options.train.accumulation = options.train.grad_groups = ranks;
    return memory_plan(options, config, ranks).optimizer;
  };
  size_t one = state("lion", 0, 1);
  CHECK(one == static_cast<size_t>(memory_plan(options, config).parameters) * sizeof(float));
  CHECK(state("adamw", 0, 1) == 2 * one);
  CHECK(state("adamw", 0.99, 1) == 3 * one);
  CHECK(state("sgd", 0, 1) == 0);
  CHECK(state("sgd:momentum=0.9", 0, 1) == one);
  CHECK(state("muon", 0, 1) > one);
  CHECK(state("muon", 0, 1) < 2 * one);
  CHECK(state("adamw", 0, 2) >= one);  // half, and what the largest share has more
  CHECK(state("adamw", 0, 2) < 2 * one);
  CHECK(state("muon", 0, 2) < state("muon", 0, 1));
  options.train.optimizer = "adamw";
  models::MemoryPlan two = memory_plan(options, config, 2), alone = memory_plan(options, config);
  CHECK(two.optimizer + two.workspace - alone.workspace > 2 * one);  // rank 0 puts all of it together for a checkpoint
}
