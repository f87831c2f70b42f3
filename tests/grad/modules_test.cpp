// Every entry of the norm, position and attention lists, the feed-forward forms, blocks and whole models: gradients of
// all parameters and of the input.
#include <doctest/doctest.h>

#include "check.h"
#include "models/model.h"
#include "nn/activation.h"
#include "nn/block.h"

namespace llmkit::test {
namespace {

constexpr int64_t kHidden = 8, kRows = 6;
constexpr double kKinkDistance = 0.01;

// A module under test: what it declares, and its output for an input [kRows, kHidden].
void check_module(const std::string& name, nn::ParameterStore& store,
                  const std::function<Tensor(Tape&, const Tensor&)>& run) {
  INFO("module: ", name);
  Parallel parallel(1);
  store.allocate();
  std::vector<double> x = random_values(kRows * kHidden, 1, kKinkDistance), weights = random_values(kRows * kHidden, 2);
  std::span<double> values = store.values<double>();
  for (const nn::Parameter& p : store.list()) {
    std::vector<double> v = random_values(p.size(), static_cast<uint64_t>(50 + p.offset));
    for (size_t i = 0; i < v.size(); ++i)
      values[static_cast<size_t>(p.offset) + i] = 0.5 * v[i] + (p.init == nn::Init::ones ? 1.0 : 0.0);
  }
  Tape tape(parallel, {.seed = 5});
  Tensor input;
  auto forward = [&] {
    tape.begin(7);
    input = tape.leaf({kRows, kHidden}, DType::f64);
    std::copy(x.begin(), x.end(), input.data<double>());
    return ops::weighted_sum(tape, run(tape, input), weights);
  };
  store.clear_gradients();
  tape.backward(forward());
  std::vector<double> dx(input.grad<double>(), input.grad<double>() + input.size());
  auto f = [&] { return *forward().data<double>(); };
  CHECK(gradient_error(x, dx, f) < kMaxRelativeError);
  for (const nn::Parameter& p : store.list()) {
    INFO(p.name);
    CHECK(gradient_error(store.values<double>(p), store.gradients<double>(p), f, 60) < kMaxRelativeError);
  }
}

const std::vector<int32_t> kPositions = {0, 1, 2, 0, 1, 2};

nn::BatchContext batch_of_two() {
  nn::BatchContext batch;
  batch.sequences = 2;
  batch.length = 3;
  batch.positions = kPositions;
  return batch;
}

void check_model(models::ModelConfig config) {
  INFO("model: ", config.architecture);
  config.vocab_size = 11;
  config.hidden_size = 8;
  config.layers = 2;
  config.heads = 2;
  config.max_positions = 6;
  config.initializer_range = 0.3;
  Parallel parallel(1);
  auto model = models::Model::create(config, 3, parallel, {.dtype = DType::f64});
  const std::vector<int32_t> tokens = {1, 5, 2, 10, 0, 7, 7, 3}, targets = {5, 2, 10, 4, 7, -1, 3, 3},
                             documents = {0, 0, 1, 1, 0, 0, 0, 0};
  const std::vector<float> weights = {0.1f, 0.2f, 0.1f, 0.3f, 0.1f, 0.4f, 0.05f, 0.0f};
  models::TokenBatch batch;
  batch.sequences = 2;
  batch.length = 4;
  batch.tokens = tokens;
  batch.documents = documents;
  Tape tape(parallel, {.seed = 9});
  auto forward = [&] {
    tape.begin(1);
    return model->loss(tape, batch, targets, weights);
  };
  nn::ParameterStore& store = model->parameters();
  store.clear_gradients();
  tape.backward(forward());
  std::vector<double> gradients(store.gradients<double>().begin(), store.gradients<double>().end());
  for (const nn::Parameter& p : store.list()) {
    INFO(p.name);
    std::span<const double> g(gradients.data() + p.offset, static_cast<size_t>(p.size()));
    CHECK(gradient_error(
              store.values<double>(p), g, [&] { return *forward().data<double>(); }, 30) < kMaxRelativeError);
  }
}

}  // namespace

TEST_CASE("gradients of every norm") {
  for (std::string_view name : nn::norms().names()) {
    nn::ParameterStore store(DType::f64);
    auto norm = nn::norms().make(name);
    norm->declare(store, "norm", kHidden);
    check_module(std::string(name), store, [&](Tape& t, const Tensor& x) { return norm->forward(t, store, x); });
  }
}

TEST_CASE("gradients of a plain and a gated feed-forward layer with every activation") {
  for (std::string_view name : nn::activations().names())
    for (bool gated : {false, true}) {
      if (name.starts_with("relu")) continue;  // a kink somewhere inside; the op alone is checked away from it
      nn::ParameterStore store(DType::f64);
      nn::FeedForwardShape shape;
      shape.hidden = kHidden;
      shape.intermediate = 10;
      shape.activation = nn::activations().make(name)->kernel();
      shape.gated = gated;
      shape.bias = !gated;
      nn::FeedForward layer(store, "ffn", shape);
      check_module(std::string(name) + (gated ? " gated" : " plain"), store, [&](Tape& t, const Tensor& x) {
        return layer.forward(t, store, x, x, {0.2, 0, 2, 0, 4});
      });
    }
}

TEST_CASE("gradients of a block with every position and attention kind") {
  for (std::string_view kind : nn::attentions().names())
    for (std::string_view position_name : nn::positions().names()) {
      nn::ParameterStore store(DType::f64);
      auto position = nn::positions().make(position_name);
      position->declare(store, {4, kHidden, 4, 0.02});
      nn::BlockSpec spec;
      spec.attention_kind = std::string(kind);
      spec.attention.hidden = kHidden;
      spec.attention.heads = 2;
      spec.attention.kv_heads = 1;
      spec.attention.head_dim = 4;
      spec.attention.qkv_bias = spec.attention.output_bias = true;
      spec.attention.dropout = 0.2;
      spec.attention.output_dropout = 0.1;
      spec.feed_forward.hidden = kHidden;
      spec.feed_forward.intermediate = 12;
      nn::Block block(store, "block", spec);
      check_module(std::string(kind) + ", " + std::string(position_name), store, [&](Tape& t, const Tensor& x) {
        return block.forward(t, store, *position, position->embed(t, store, x, kPositions), batch_of_two());
      });
    }
}

TEST_CASE("gradients of whole models") {
  models::ModelConfig llama;
  llama.kv_heads = 1;
  llama.tie_embeddings = false;
  check_model(llama);
  models::ModelConfig gpt2;
  gpt2.architecture = "gpt2";
  gpt2.norm = "layer-norm";
  gpt2.gated = false;
  gpt2.activation = "gelu_new";
  gpt2.position = "learned";
  gpt2.qkv_bias = gpt2.output_bias = gpt2.ffn_bias = true;
  gpt2.attention_dropout = gpt2.residual_dropout = gpt2.embedding_dropout = 0.2;
  check_model(gpt2);
}

}  // namespace llmkit::test
