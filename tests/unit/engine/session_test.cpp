#include "engine/session.h"

#include <doctest/doctest.h>

#include <map>

#include "base/rng.h"

using namespace llmkit;
using engine::GenerateJob;
using engine::Scored;
using engine::ScoreJob;
using engine::Session;

namespace {

models::ModelConfig tiny(const std::string& architecture) {
  models::ModelConfig c;
  c.architecture = architecture;
  if (architecture == "gpt2") {
    c.norm = "layer-norm";
    c.activation = "gelu_new";
    c.gated = false;
    c.position = "learned";
    c.qkv_bias = c.output_bias = c.ffn_bias = true;
  }
  c.vocab_size = 97;
  c.hidden_size = 32;
  c.layers = 2;
  c.heads = 4;
  c.kv_heads = architecture == "gpt2" ? 4 : 2;
  c.max_positions = 48;
  c.initializer_range = 0.3;  // far from uniform, so that wrong answers show
  c.complete();
  return c;
}

std::vector<int32_t> random_tokens(uint64_t key, size_t n) {
  Rng rng{key};
  std::vector<int32_t> out(n);
  for (auto& t : out) t = static_cast<int32_t>(rng.below(97));
  return out;
}

std::vector<ScoreJob> some_jobs() {
  std::vector<ScoreJob> jobs;
  for (uint64_t i = 0; i < 20; ++i) jobs.push_back({random_tokens(i, 2 + i * 2), 1 + i});
  for (uint64_t i = 0; i < 4; ++i) {  // the choices of one question
    auto tokens = random_tokens(100, 10);
    auto choice = random_tokens(200 + i, 1 + i);
    tokens.insert(tokens.end(), choice.begin(), choice.end());
    jobs.push_back({tokens, 10});
  }
  jobs.push_back({random_tokens(5, 3), 3});  // nothing to score
  return jobs;
}

std::map<size_t, std::vector<int32_t>> texts(Session& session, const std::vector<GenerateJob>& jobs,
                                             std::vector<std::string> chain, uint64_t seed) {
  std::map<size_t, std::vector<int32_t>> out;
  session.generate(jobs, decode::Chain(chain), seed, [&](size_t job, int32_t token) {
    out[job].push_back(token);
    return true;
  });
  return out;
}

}  // namespace

TEST_CASE("scores are the sums of the full pass's log-probabilities") {
  Parallel parallel(2);
  for (std::string architecture : {"llama", "gpt2"}) {
    CAPTURE(architecture);
    auto model = models::Model::create(tiny(architecture), 3, parallel, {.training = false});
    Session session(*model, parallel);
    auto jobs = some_jobs();
    auto scored = session.score(jobs);
    Tape tape(parallel, {.recording = false});
    for (size_t i = 0; i < jobs.size(); ++i) {
      auto n = static_cast<int64_t>(jobs[i].tokens.size()) - 1;
      std::vector<int32_t> targets(jobs[i].tokens.begin() + 1, jobs[i].tokens.end());
      std::vector<float> logprob(static_cast<size_t>(n));
      models::TokenBatch batch;
      batch.sequences = 1;
      batch.length = n;
      batch.tokens = std::span(jobs[i].tokens).first(static_cast<size_t>(n));
      tape.begin();
      model->logprobs(tape, batch, targets, logprob);
      double sum = 0;
      for (size_t k = jobs[i].from - 1; k < logprob.size(); ++k) sum += logprob[k];
      CHECK(scored[i].logprob == doctest::Approx(sum).epsilon(1e-5));
      CHECK(scored[i].tokens == static_cast<int64_t>(jobs[i].tokens.size() - jobs[i].from));
    }
  }
}

TEST_CASE("a score does not depend on the batch, the neighbours or the threads, bit for bit") {
  Parallel one(1), eight(8);
  auto model = models::Model::create(tiny("llama"), 3, one, {.training = false});
  auto jobs = some_jobs();
  auto all = Session(*model, eight, 4096).score(jobs);
  Session single(*model, one, 1);
  for (size_t i = 0; i < jobs.size(); ++i) {
    auto alone = single.score({&jobs[i], 1});
    CHECK(alone[0].logprob == all[i].logprob);
    CHECK(alone[0].is_greedy == all[i].is_greedy);
  }
}

TEST_CASE("greedy generation is the argmax of the full pass, and scoring calls it greedy") {
  Parallel parallel(2);
  auto model = models::Model::create(tiny("gpt2"), 7, parallel, {.training = false});
  Session session(*model, parallel);
  std::vector<GenerateJob> jobs = {{random_tokens(1, 5), 12, 0}};
  auto made = texts(session, jobs, {"greedy"}, 0)[0];
  REQUIRE(made.size() == 12);
  Tape tape(parallel, {.recording = false});
  std::vector<int32_t> tokens = jobs[0].prompt;
  for (int32_t token : made) {
    models::TokenBatch batch;
    batch.sequences = 1;
    batch.length = static_cast<int64_t>(tokens.size());
    batch.tokens = tokens;
    tape.begin();
    Tensor logits = model->logits(tape, batch);
    const float* row = logits.data<float>() + (batch.length - 1) * 97;
    CHECK(std::max_element(row, row + 97) - row == token);
    tokens.push_back(token);
  }
  std::vector<ScoreJob> check = {{tokens, jobs[0].prompt.size()}};
  CHECK(session.score(check)[0].is_greedy);
}

TEST_CASE("a sampled text depends on seed and stream, not on what is written beside it") {
  Parallel one(1), eight(8);
  auto model = models::Model::create(tiny("llama"), 3, one, {.training = false});
  std::vector<GenerateJob> jobs;
  for (uint64_t i = 0; i < 9; ++i) jobs.push_back({random_tokens(i, 1 + i), static_cast<int64_t>(3 + i), i});
  Session wide(*model, eight, 4096, 16), narrow(*model, one, 4096, 2);
  std::vector<std::string> chain = {"temperature:t=1.2", "top-p:p=0.9"};
  auto a = texts(wide, jobs, chain, 5);
  CHECK(a == texts(narrow, jobs, chain, 5));
  CHECK(a != texts(wide, jobs, chain, 6));
  for (size_t i = 0; i < jobs.size(); ++i) CHECK(a[i].size() == 3 + i);
}

TEST_CASE("generation ends at the context's end and where the sink says so") {
  Parallel parallel(1);
  auto model = models::Model::create(tiny("llama"), 3, parallel, {.training = false});
  Session session(*model, parallel);
  std::vector<GenerateJob> jobs = {{random_tokens(1, 40), 1000, 0}};
  CHECK(texts(session, jobs, {"greedy"}, 0)[0].size() == 8);
  int seen = 0;
  session.generate(jobs, decode::Chain(std::vector<std::string>{"greedy"}), 0,
                   [&](size_t, int32_t) { return ++seen < 3; });
  CHECK(seen == 3);
}
