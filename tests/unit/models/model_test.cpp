#include "models/model.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>

#include "base/rng.h"
#include "formats/json.h"
#include "io/files.h"
#include "models/architecture.h"
#include "temporary_folder.h"

using namespace llmkit;
using models::DecodeChunk;
using models::Model;
using models::ModelConfig;
using models::TokenBatch;

namespace {

ModelConfig tiny(std::string_view architecture) {
  ModelConfig c;
  c.architecture = std::string(architecture);
  c.vocab_size = 50;
  c.hidden_size = 32;
  c.layers = 2;
  c.heads = 4;
  c.max_positions = 96;
  c.initializer_range = 0.2;
  c.tie_embeddings = false;
  if (architecture == "gpt2") {
    c.norm = "layer-norm";
    c.gated = false;
    c.activation = "gelu_new";
    c.position = "learned";
    c.qkv_bias = c.output_bias = c.ffn_bias = true;
    c.tie_embeddings = true;
  } else {
    c.kv_heads = 2;
  }
  if (architecture == "qwen2") c.qkv_bias = true;
  if (architecture == "mistral") c.sliding_window = 7;
  c.bos_token_id = 1;
  c.eos_token_ids = {2, 3};
  return c;
}

std::vector<int32_t> random_tokens(int64_t n, uint64_t key) {
  Rng rng{key};
  std::vector<int32_t> out(static_cast<size_t>(n));
  for (auto& t : out) t = static_cast<int32_t>(rng.below(50));
  return out;
}

std::vector<float> full_logits(Model& model, Parallel& parallel, std::span<const int32_t> tokens) {
  Tape tape(parallel, {.recording = false});
  TokenBatch batch;
  batch.sequences = 1;
  batch.length = static_cast<int64_t>(tokens.size());
  batch.tokens = tokens;
  Tensor z = model.logits(tape, batch);
  return {z.data<float>(), z.data<float>() + z.size()};
}

std::vector<float> decode(Model& model, Tape& tape, std::vector<DecodeChunk> chunks) {
  int64_t rows = 0;
  for (auto& c : chunks) rows += c.logit_rows();
  std::vector<float> logits(static_cast<size_t>(rows * model.config().vocab_size));
  model.decode(tape, chunks, logits);
  return logits;
}

}  // namespace

TEST_CASE("cached decoding in pieces gives the bits of the full pass, for every architecture") {
  Parallel parallel(2);
  for (std::string_view name : models::architectures().names()) {
    INFO(name);
    auto model = Model::create(tiny(name), 1, parallel);
    std::vector<int32_t> tokens = random_tokens(90, 4);
    std::vector<float> full = full_logits(*model, parallel, tokens);
    Tape tape(parallel, {.recording = false});
    auto state = model->new_state();
    std::span<const int32_t> rest = tokens;
    std::vector<float> pieces;
    for (size_t n : {1u, 5u, 1u, 40u, 1u, 1u, 41u}) {
      auto part = decode(*model, tape, {{state.get(), rest.first(n), true}});
      pieces.insert(pieces.end(), part.begin(), part.end());
      rest = rest.subspan(n);
    }
    CHECK(state->length() == 90);
    CHECK(pieces == full);
  }
}

TEST_CASE("a sequence decoded among others of other lengths gives the bits it gives alone") {
  Parallel parallel(2);
  auto model = Model::create(tiny("llama"), 1, parallel);
  Tape tape(parallel, {.recording = false});
  std::vector<std::vector<int32_t>> prompts = {random_tokens(3, 1), random_tokens(70, 2), random_tokens(17, 3)};
  std::vector<std::unique_ptr<models::DecodeState>> together;
  std::vector<DecodeChunk> chunks;
  for (auto& p : prompts) {
    together.push_back(model->new_state());
    chunks.push_back({together.back().get(), p, false});
  }
  std::vector<float> batched = decode(*model, tape, chunks);
  for (size_t i = 0; i < prompts.size(); ++i) {
    auto state = model->new_state();
    std::vector<float> alone = decode(*model, tape, {{state.get(), prompts[i], false}});
    CHECK(std::equal(alone.begin(), alone.end(), batched.begin() + static_cast<int64_t>(i) * 50));
  }
}

TEST_CASE("forked and truncated states continue as if they had been built so") {
  Parallel parallel(1);
  auto model = Model::create(tiny("gpt2"), 1, parallel);
  Tape tape(parallel, {.recording = false});
  std::vector<int32_t> prompt = random_tokens(20, 1), a = random_tokens(4, 2), b = random_tokens(6, 3);
  auto state = model->new_state();
  decode(*model, tape, {{state.get(), prompt}});
  auto fork = state->fork();
  auto after_a = decode(*model, tape, {{state.get(), a}});
  auto after_b = decode(*model, tape, {{fork.get(), b}});
  state->truncate(20);
  CHECK(decode(*model, tape, {{state.get(), b}}) == after_b);
  fork->truncate(20);
  CHECK(decode(*model, tape, {{fork.get(), a}}) == after_a);
}

TEST_CASE("decoding refuses what does not fit before it changes a state") {
  Parallel parallel(1);
  auto model = Model::create(tiny("llama"), 1, parallel);
  Tape tape(parallel, {.recording = false});
  auto state = model->new_state();
  std::vector<int32_t> tokens = random_tokens(97, 1), wrong = {1, 50};
  CHECK_THROWS_AS(decode(*model, tape, {{state.get(), tokens}}), Error);
  CHECK_THROWS_AS(decode(*model, tape, {{state.get(), wrong}}), Error);
  CHECK_THROWS_AS(decode(*model, tape, {{state.get(), {}}}), Error);
  CHECK(state->length() == 0);
}

TEST_CASE("loss is the weighted sum of the token log-probabilities, which are those of the logits") {
  Parallel parallel(1);
  auto model = Model::create(tiny("qwen2"), 1, parallel);
  std::vector<int32_t> tokens = random_tokens(24, 1), targets = random_tokens(24, 2);
  targets[5] = -1;
  std::vector<float> weights(24, 0.25f), logprobs(24);
  weights[7] = 0;
  TokenBatch batch;
  batch.sequences = 2;
  batch.length = 12;
  batch.tokens = tokens;
  Tape tape(parallel);
  tape.begin();
  model->logprobs(tape, batch, targets, logprobs);
  double sum = 0;
  for (size_t i = 0; i < 24; ++i) sum -= double{weights[i]} * logprobs[i];
  CHECK(*model->loss(tape, batch, targets, weights).data<float>() == doctest::Approx(sum).epsilon(1e-5));
  CHECK(logprobs[5] == 0.0f);

  std::vector<float> z = full_logits(*model, parallel, std::span<const int32_t>(tokens).first(12));
  double total = 0;
  for (int v = 0; v < 50; ++v) total += std::exp(double{z[static_cast<size_t>(3 * 50 + v)]});
  CHECK(logprobs[3] == doctest::Approx(z[static_cast<size_t>(3 * 50 + targets[3])] - std::log(total)).epsilon(1e-4));
}

TEST_CASE("documents packed into one row give the losses they give in rows of their own") {
  Parallel parallel(1);
  auto model = Model::create(tiny("llama"), 1, parallel, {.dtype = DType::f64});
  std::vector<int32_t> tokens = random_tokens(20, 1), targets = random_tokens(20, 2), documents(20), positions(20);
  for (size_t i = 0; i < 20; ++i) {
    documents[i] = i < 8 ? 0 : 1;
    positions[i] = static_cast<int32_t>(i < 8 ? i : i - 8);
  }
  auto score = [&](size_t begin, size_t n, bool packed) {
    std::vector<float> out(n);
    TokenBatch batch;
    batch.sequences = 1;
    batch.length = static_cast<int64_t>(n);
    batch.tokens = std::span(tokens).subspan(begin, n);
    if (packed) {
      batch.positions = positions;
      batch.documents = documents;
    }
    Tape tape(parallel);
    model->logprobs(tape, batch, std::span(targets).subspan(begin, n), out);
    return out;
  };
  std::vector<float> packed = score(0, 20, true), first = score(0, 8, false), second = score(8, 12, false);
  for (size_t i = 0; i < 20; ++i) CHECK(packed[i] == doctest::Approx(i < 8 ? first[i] : second[i - 8]).epsilon(1e-6));
}

TEST_CASE("one thread and eight give the same gradients, with dropout, and micro-batches draw the masks of the whole") {
  ModelConfig config = tiny("llama");
  config.hidden_size = 128;
  config.attention_dropout = config.residual_dropout = config.embedding_dropout = 0.2;
  std::vector<int32_t> tokens = random_tokens(8 * 64, 1), targets = random_tokens(8 * 64, 2);
  std::vector<float> weights(8 * 64, 1.0f / 512);
  auto gradients = [&](int threads, int64_t micro) {
    Parallel parallel(threads);
    auto model = Model::create(config, 7, parallel);
    Tape tape(parallel, {.seed = 5});
    model->parameters().clear_gradients();
    for (int64_t s = 0; s < 8; s += micro) {
      tape.begin(3);
      auto part = [&](auto& v) {
        return std::span(v).subspan(static_cast<size_t>(s * 64), static_cast<size_t>(micro * 64));
      };
      TokenBatch batch;
      batch.sequences = micro;
      batch.length = 64;
      batch.tokens = part(tokens);
      batch.first_sequence_id = static_cast<uint64_t>(s);
      tape.backward(model->loss(tape, batch, part(targets), part(weights)));
    }
    if (threads > 1) {
      // A worker that came late may have had one tile only; the more it runs, the more each gets.
      std::vector<float> unused(targets.size());
      TokenBatch whole;
      whole.sequences = 8;
      whole.length = 64;
      whole.tokens = tokens;
      for (int i = 0; i < 200 && (parallel.stats().workers < 2 || parallel.stats().least_tiles < 3); ++i)
        model->logprobs(tape, whole, targets, unused);
      CHECK(parallel.stats().workers >= 2);
      CHECK(parallel.stats().least_tiles >= 3);
    }
    auto g = model->parameters().gradients<float>();
    return std::vector<float>(g.begin(), g.end());
  };
  std::vector<float> one = gradients(1, 8), eight = gradients(8, 8), halves = gradients(1, 4);
  CHECK(one == eight);
  double largest = 0, difference = 0;
  for (size_t i = 0; i < one.size(); ++i) {
    largest = std::max(largest, double{std::fabs(one[i])});
    difference = std::max(difference, double{std::fabs(one[i] - halves[i])});
  }
  CHECK(difference < 1e-5 * largest);
}

TEST_CASE("bf16 products change the loss by little, and the gradients with it") {
  Parallel parallel(2);
  auto model = Model::create(tiny("llama"), 1, parallel);
  std::vector<int32_t> tokens = random_tokens(32, 1), targets = random_tokens(32, 2);
  std::vector<float> weights(32, 1.0f / 32);
  TokenBatch batch;
  batch.sequences = 1;
  batch.length = 32;
  batch.tokens = tokens;
  auto run = [&](Precision precision) {
    Tape tape(parallel, {.precision = precision});
    model->parameters().clear_gradients();
    Tensor loss = model->loss(tape, batch, targets, weights);
    tape.backward(loss);
    auto g = model->parameters().gradients<float>();
    return std::pair<double, std::vector<float>>(*loss.data<float>(), {g.begin(), g.end()});
  };
  auto [exact, g32] = run(Precision::f32);
  auto [rounded, g16] = run(Precision::bf16);
  CHECK(rounded != exact);
  CHECK(rounded == doctest::Approx(exact).epsilon(0.02));
  double dot = 0, a = 0, b = 0;
  for (size_t i = 0; i < g32.size(); ++i)
    dot += double{g32[i]} * g16[i], a += double{g32[i]} * g32[i], b += double{g16[i]} * g16[i];
  CHECK(dot / std::sqrt(a * b) > 0.999);
}

TEST_CASE("with bf16 products a step keeps its values in less memory") {
  for (std::string_view name : {"gpt2", "llama"}) {
    INFO(name);
    ModelConfig config = tiny(name);
    config.layers = 8;
    auto kept = [&](Precision precision) {
      models::MemoryPlan plan = Model::plan(config, models::PlanRequest{4, 64, precision, true, 2});
      return static_cast<double>(plan.activations + plan.activation_gradients);
    };
    CHECK(kept(Precision::bf16) < 0.7 * kept(Precision::f32));
  }
}

TEST_CASE("a folder that was saved loads with the same config and weights, for every architecture") {
  Parallel parallel(1);
  for (std::string_view name : models::architectures().names()) {
    INFO(name);
    TemporaryFolder folder;
    auto model = Model::create(tiny(name), 1, parallel);
    model->save(folder.path);
    auto loaded = Model::load(folder.path, parallel);
    CHECK(std::equal(model->parameters().values<float>().begin(), model->parameters().values<float>().end(),
                     loaded->parameters().values<float>().begin()));
    auto architecture = models::architectures().make(name);
    CHECK(formats::write_json(architecture->write_config(loaded->config())) ==
          formats::write_json(architecture->write_config(model->config())));
    CHECK(loaded->config().eos_token_ids == std::vector<int64_t>{2, 3});
  }
}

TEST_CASE("a folder that does not fit is refused with the reason") {
  Parallel parallel(1);
  TemporaryFolder folder;
  auto model = Model::create(tiny("llama"), 1, parallel);
  model->save(folder.path);
  formats::Json config = formats::load_json(folder.path + "/config.json");
  auto load_with = [&](const char* key, formats::Json value) {
    formats::Json changed = config;
    changed.set(key, std::move(value));
    io::write_file_atomically(folder.path + "/config.json", formats::write_json(changed));
    return Model::load(folder.path, parallel);
  };
  CHECK_THROWS_WITH_AS(load_with("vocab_size", 51), doctest::Contains("[51, 32]"), Error);
  CHECK_THROWS_WITH_AS(load_with("vocab_size", int64_t{1} << 30), doctest::Contains("larger model"), Error);
  CHECK_THROWS_WITH_AS(load_with("max_position_embeddings", int64_t{1} << 40), doctest::Contains("max_positions"),
                       Error);
  CHECK_THROWS_WITH_AS(load_with("num_hidden_layers", 3), doctest::Contains("missing weight"), Error);
  CHECK_THROWS_WITH_AS(load_with("num_hidden_layers", 1), doctest::Contains("no place"), Error);
  CHECK_THROWS_WITH_AS(load_with("model_type", "lama"), doctest::Contains("llama"), Error);
  CHECK_THROWS_WITH_AS(load_with("hidden_size", 31), doctest::Contains("["), Error);
  formats::Json scaled = formats::Json::object();
  scaled.set("rope_type", "yarn");
  CHECK_THROWS_WITH_AS(load_with("rope_scaling", scaled), doctest::Contains("yarn"), Error);
  formats::Json v5 = formats::Json::object();
  v5.set("rope_theta", 777.0);
  v5.set("rope_type", "default");
  CHECK(load_with("rope_parameters", v5)->config().rope_theta == 777.0);
}

TEST_CASE("the plan of a step equals what the step uses") {
  Parallel parallel(1);
  ModelConfig config = tiny("llama");
  models::MemoryPlan plan = Model::plan(config, {2, 32, Precision::f32, true, 2});
  auto model = Model::create(config, 1, parallel);
  std::vector<int32_t> tokens = random_tokens(64, 1), targets = random_tokens(64, 2);
  std::vector<float> weights(64, 1.0f);
  TokenBatch batch;
  batch.sequences = 2;
  batch.length = 32;
  batch.tokens = tokens;
  Tape tape(parallel);
  tape.begin();
  tape.backward(model->loss(tape, batch, targets, weights));
  CHECK(plan.activations == tape.peak().activations + tape.peak().nodes);
  CHECK(plan.activation_gradients == tape.peak().gradients);
  CHECK(plan.parameters == model->parameters().count());
  CHECK(plan.text().find("total") != std::string::npos);
}

TEST_CASE(
    "recomputation gives the bits of keeping everything, with dropout and documents, in less memory that was planned") {
  Parallel parallel(2);
  for (auto [name, precision] : {std::pair<std::string_view, Precision>{"gpt2", Precision::f32},
                                 {"gpt2", Precision::bf16},
                                 {"llama", Precision::f32},
                                 {"llama", Precision::bf16}}) {
    INFO(name);
    CAPTURE(static_cast<int>(precision));
    ModelConfig config = tiny(name);
    config.layers = 4;
    config.attention_dropout = config.residual_dropout = config.embedding_dropout = 0.1;
    const int64_t rows = 3 * 70;
    std::vector<int32_t> tokens = random_tokens(rows, 1), targets = random_tokens(rows, 2), documents;
    for (int64_t i = 0; i < rows; ++i) documents.push_back(static_cast<int32_t>(i / 31));
    std::vector<float> weights(tokens.size(), 1.0f / static_cast<float>(rows));
    TokenBatch batch;
    batch.sequences = 3;
    batch.length = 70;
    batch.tokens = tokens;
    std::vector<float> kept_gradients;
    size_t kept_memory = 0;
    for (models::Recompute recompute :
         {models::Recompute::none, models::Recompute::attention, models::Recompute::block}) {
      CAPTURE(static_cast<int>(recompute));
      auto model = Model::create(config, 1, parallel, {.recompute = recompute});
      auto step = [&](Tape& tape, bool masked) {
        batch.documents = masked ? std::span<const int32_t>(documents) : std::span<const int32_t>();
        model->parameters().clear_gradients();
        tape.begin(5);
        tape.backward(model->loss(tape, batch, targets, weights));
        auto gradients = model->parameters().gradients<float>();
        return std::vector<float>(gradients.begin(), gradients.end());
      };
      Tape measured(parallel, {.precision = precision});
      step(measured, false);
      models::PlanRequest request{3, 70, precision, true, 2};
      request.recompute = recompute;
      models::MemoryPlan plan = Model::plan(config, request);
      CHECK(plan.activations == measured.peak().activations + measured.peak().nodes);
      CHECK(plan.activation_gradients == measured.peak().gradients);
      size_t memory = plan.activations + plan.activation_gradients;
      Tape tape(parallel, {.precision = precision});
      std::vector<float> gradients = step(tape, true);
      if (recompute == models::Recompute::none) {
        kept_gradients = gradients;
        kept_memory = memory;
      }
      CHECK(gradients == kept_gradients);
      CHECK((recompute == models::Recompute::none || memory < kept_memory));
    }
  }
  CHECK_THROWS_WITH_AS(models::parse_recompute("blocks"), doctest::Contains("none, attention or block"), UsageError);
}

TEST_CASE("the planned scratch memory of the kernels is what a step takes, within a tenth") {
  Parallel parallel(2);
  for (Precision precision : {Precision::f32, Precision::bf16, Precision::f16}) {
    for (auto [vocabulary, keep_packed] : {std::pair{300, false}, {300, true}, {9000, false}}) {
      CAPTURE(static_cast<int>(precision));
      CAPTURE(vocabulary);
      CAPTURE(keep_packed);
      ModelConfig config = tiny("gpt2");
      config.vocab_size = vocabulary;
      config.hidden_size = 128;
      models::PlanRequest request{4, 64, precision, true, 2};
      request.keep_packed = keep_packed;
      models::MemoryPlan plan = Model::plan(config, request);
      auto model = Model::create(config, 1, parallel);
      std::vector<int32_t> tokens = random_tokens(256, 1), targets = random_tokens(256, 2);
      std::vector<float> weights(256, 1.0f);
      TokenBatch batch;
      batch.sequences = 4;
      batch.length = 64;
      batch.tokens = tokens;
      Tape tape(parallel, {.precision = precision, .keep_packed = keep_packed});
      tape.begin();
      tape.backward(model->loss(tape, batch, targets, weights));
      double ratio = static_cast<double>(tape.peak().workspace) / static_cast<double>(plan.workspace);
      CHECK(ratio == doctest::Approx(1.0).epsilon(0.1));
    }
  }
}
