#include "pretrain/init.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/error.h"
#include "optim/optimizer.h"
#include "tensor/tape.h"

using namespace llmkit;
using namespace llmkit::pretrain;

namespace {

models::ModelConfig config_of(int64_t width, bool tied) {
  models::ModelConfig config;
  config.vocab_size = 40;
  config.hidden_size = width;
  config.layers = 2;
  config.head_dim = 16;  // the same for every width
  config.heads = width / 16;
  config.intermediate_size = 2 * width;
  config.max_positions = 32;
  config.tie_embeddings = tied;
  return config;
}

double deviation(models::Model& model, const char* name) {
  auto values = model.parameters().values<float>(model.parameters().at(name));
  double sum = 0;
  for (float v : values) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

// Root mean square of the logits after `steps` steps of AdamW on one batch.
double logits_after(int64_t width, const char* rule, int steps) {
  Parallel parallel(2);
  auto model = models::Model::create(config_of(width, false), 3, parallel);
  initialise(*model, {rule, 32}, 3, parallel);
  std::vector<int32_t> tokens(64), targets(64);
  for (int32_t i = 0; i < 64; ++i) {
    tokens[static_cast<size_t>(i)] = i * 7 % 40;
    targets[static_cast<size_t>(i)] = (i + 1) * 7 % 40;
  }
  std::vector<float> weights(64, 1.0f / 64);
  models::TokenBatch batch;
  batch.sequences = 2;
  batch.length = 32;
  batch.tokens = tokens;
  Tape tape(parallel);
  auto adamw = optim::optimizers().make("adamw:weight-decay=0");
  adamw->attach(model->parameters());
  for (int step = 1; step <= steps; ++step) {
    tape.begin();
    model->parameters().clear_gradients();
    tape.backward(model->loss(tape, batch, targets, weights));
    adamw->step(tape.exec(), {step, 0.01, 1});
  }
  tape.begin();
  Tensor logits = model->logits(tape, batch);
  double sum = 0;
  for (int64_t i = 0; i < logits.size(); ++i)
    sum += static_cast<double>(logits.data<float>()[i]) * static_cast<double>(logits.data<float>()[i]);
  return std::sqrt(sum / static_cast<double>(logits.size()));
}

}  // namespace

TEST_CASE("init rules draw with the deviations they name and set the rates of matrices") {
  Parallel parallel(2);
  auto model = models::Model::create(config_of(128, false), 1, parallel);
  double before = deviation(*model, "layers.0.attention.qkv.weight");
  CHECK(before == doctest::Approx(0.02).epsilon(0.03));

  initialise(*model, {"small", 256}, 1, parallel);
  CHECK(deviation(*model, "embedding.token.weight") == doctest::Approx(std::sqrt(2 / (5 * 128.0))).epsilon(0.05));
  CHECK(deviation(*model, "layers.1.ffn.down.weight") == doctest::Approx(2 / (2 * std::sqrt(128.0))).epsilon(0.05));

  model = models::Model::create(config_of(128, false), 1, parallel);
  auto& mup = model->parameters();
  initialise(*model, {"mup", 32}, 1, parallel);  // four times the base
  CHECK(deviation(*model, "layers.0.attention.qkv.weight") == doctest::Approx(before / 2).epsilon(1e-6));
  CHECK(deviation(*model, "layers.0.ffn.down.weight") == doctest::Approx(0.02 / 2 / 2).epsilon(0.05));
  CHECK(deviation(*model, "head.weight") == doctest::Approx(0.02 / 4).epsilon(0.05));
  CHECK(deviation(*model, "embedding.token.weight") == doctest::Approx(0.02).epsilon(0.05));
  CHECK(mup.at("layers.0.attention.qkv.weight").rate_scale == 0.25);
  CHECK(mup.at("head.weight").rate_scale == 0.25);
  CHECK(mup.at("embedding.token.weight").rate_scale == 1);
  CHECK(mup.at("final_norm.weight").rate_scale == 1);

  auto tied = models::Model::create(config_of(128, true), 1, parallel);
  CHECK_THROWS_AS(initialise(*tied, {"mup", 32}, 1, parallel), UsageError);
}

TEST_CASE("mup goes with the optimisers whose rates it knows") {
  for (const char* spec : {"adamw", "lion:beta1=0.8"}) CHECK_NOTHROW(check_rule({"mup", 32}, spec));
  for (const char* spec : {"sgd:momentum=0.9", "muon"}) {
    CHECK_THROWS_WITH_AS(check_rule({"mup", 32}, spec), doctest::Contains("adamw or lion"), UsageError);
    CHECK_NOTHROW(check_rule({"small", 32}, spec));
  }
}

TEST_CASE("under mup the logits grow alike at every width, without it they grow with the width") {
  double narrow = logits_after(32, "mup", 5), wide = logits_after(256, "mup", 5), plain = logits_after(256, "gpt2", 5);
  CHECK(narrow == doctest::Approx(logits_after(32, "gpt2", 5)));  // the base itself
  CHECK(wide / narrow < 1.6);
  CHECK(wide / narrow > 0.6);
  CHECK(plain / narrow > 2);
}
