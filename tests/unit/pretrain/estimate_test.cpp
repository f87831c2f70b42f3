#include "pretrain/estimate.h"

#include <doctest/doctest.h>

#include "pretrain/parallel_plan.h"
#include "stage.h"

using namespace llmkit;
using namespace llmkit::pretrain;

namespace {

PretrainOptions gpt2() {
  PretrainOptions options;
  options.model = {
      .arch = "gpt2", .layers = 12, .heads = 12, .width = 768, .context = 1024, .tied = true, .bias = true};
  options.train.batch = 4;
  options.train.accumulation = 2;
  options.train.steps = 100;
  return options;
}

const ParallelPlan& find(const std::vector<ParallelPlan>& plans, const std::string& kind, int64_t ranks) {
  for (auto& plan : plans)
    if (plan.kind == kind && plan.ranks == ranks) return plan;
  FAIL("no plan ", kind);
  return plans.front();
}

}  // namespace

TEST_CASE("GPT-2's published counts") {
  Estimate e = count_costs(gpt2(), 50257);
  CHECK(e.parameters == 124439808);  // Hugging Face's gpt2
  CHECK(e.embedding_parameters == (50257 + 1024) * 768);
  CHECK(e.training_flops == 6.0 * (12 * 12 * 768 * 768 + 768 * 50257) + 12.0 * 12 * 768 * 1024);
  CHECK(e.forward_flops * 3 == e.training_flops);
  CHECK(e.kv_bytes_per_token == 2.0 * 12 * 768 * 4);
  CHECK(e.step_tokens == 4.0 * 2 * 1024);
  CHECK(e.steps == 100);
}

TEST_CASE("lines through two measurements") {
  LayerLine line = line_through(1, 5, 4, 11);
  CHECK(line.fixed == 3);
  CHECK(line.per_layer == 2);
  CHECK(line.at(12) == 27);
  CHECK(line_through(2, 8, 2, 8).at(6) == 24);
  CHECK(line_through(1, 5, 4, 4).at(12) == 4);  // noise: never below what was measured deepest

  DecodingTime time{0.5, 0.25, 2, 3};
  CHECK(time.token(10) == 23);
  CHECK(time.tokens(10, 3) == 23 + 25 + 27);
  CHECK(time.prompt(4) == 0.5 * 4 + 0.25 * 16);
}

TEST_CASE("what a rank holds and sends") {
  Estimate e = count_costs(gpt2(), 50257);
  models::MemoryPlan one;
  one.weights = 400;
  one.gradients = 400;
  one.optimizer = 800;
  one.activations = 3400;
  auto plans = parallel_plans(e.config, one, {4, 1024, 8}, {1, 4, 5});
  CHECK(find(plans, "data parallel", 4).total() == 5000);
  CHECK(find(plans, "data parallel", 1).sent == 0);
  CHECK(find(plans, "data parallel", 4).sent == 600);  // 2 (n-1)/n of the gradients
  CHECK(find(plans, "ZeRO-1", 4).total() == 4400);
  CHECK(find(plans, "ZeRO-2", 4).total() == 4100);
  CHECK(find(plans, "ZeRO-3", 4).total() == 3800);
  CHECK(find(plans, "ZeRO-3", 4).sent == 900);
  CHECK(find(plans, "tensor parallel", 4).total() == 400 + 1600);
  for (auto& plan : plans) CHECK_FALSE((plan.kind == "tensor parallel" && plan.ranks == 5));  // 12 heads
  const ParallelPlan& pipeline = find(plans, "pipeline", 4);
  CHECK(pipeline.total() == 400 + 3400);
  CHECK(pipeline.idle == doctest::Approx(3.0 / 11));
}

TEST_CASE("two short measurements give positive times for a small model") {
  PretrainOptions options;
  options.model = {.arch = "llama", .layers = 4, .heads = 2, .width = 32, .context = 64, .tied = true, .bias = false};
  options.train.batch = 2;
  Estimate e = count_costs(options, 100);
  Stage stage(2);
  measure_times(e, options, stage.context);
  CHECK(e.measured_layers[0] == 1);
  CHECK(e.measured_layers[1] == 2);
  CHECK(e.training.micro_batch > 0);
  CHECK(e.training.update > 0);
  CHECK(e.decoding.token(32) > 0);
  CHECK(e.decoding.prompt(32) > 0);
  Measured whole = measure_whole(e, options, stage.context);
  CHECK(whole.prompt_tokens == 48);
  CHECK(whole.decoded_tokens == 16);
  CHECK(whole.decoding > 0);
}
