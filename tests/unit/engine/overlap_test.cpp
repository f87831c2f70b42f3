// The sum over ranks that goes on beside the backward pass of a language model: it does go on there, and gives the bits
// of one process.
#include <doctest/doctest.h>

#include <atomic>

#include "engine/data_parallel.h"
#include "engine/lm_objective.h"
#include "local_ranks.h"

using namespace llmkit;
using namespace llmkit::engine;

namespace {

class Counting final : public Communicator {
 public:
  explicit Counting(Communicator& inner) : inner_(inner) {}
  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  int ranks_here() const override { return inner_.ranks_here(); }
  std::unique_ptr<Transfer> send(int to, int tag, std::span<const std::byte> bytes) override {
    ++messages;
    return inner_.send(to, tag, bytes);
  }
  std::unique_ptr<Transfer> receive(int from, int tag, std::span<std::byte> bytes) override {
    ++messages;
    return inner_.receive(from, tag, bytes);
  }
  void abort(int code) override { inner_.abort(code); }
  int64_t messages = 0;

 private:
  Communicator& inner_;
};

models::ModelConfig small() {
  models::ModelConfig c;
  c.architecture = "llama";
  c.vocab_size = 300;
  c.hidden_size = 96;
  c.layers = 6;
  c.heads = 4;
  c.kv_heads = 2;
  c.max_positions = 16;
  c.attention_dropout = c.residual_dropout = c.embedding_dropout = 0.1;
  c.complete();
  return c;
}

TokenStream stream() {
  return {2000, [](uint64_t position, std::span<int32_t> out) {
            for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<int32_t>((position + i) * 7919 % 300);
          }};
}

constexpr int64_t kSteps = 3;

// The weights after a few steps, and how many messages of the sum were started inside the last backward of a step.
std::vector<float> train(Communicator& outer, int64_t groups, int64_t& early) {
  Counting ranks(outer);
  Parallel parallel(2);
  kernels::Workspace workspace;
  kernels::Exec exec{parallel, workspace};
  auto model = models::Model::create(small(), 5, parallel);
  WindowOptions windows;
  windows.length = 16;
  windows.sequences = 1;
  windows.micro_batches = 8;
  WindowLoader loader(stream(), {}, windows);
  LmOptions lm;
  lm.seed = 5;
  LmObjective objective(*model, loader, parallel, lm);
  auto optimizer = optim::optimizers().make("adamw");
  DataParallel data(ranks, model->parameters(), groups, *optimizer);
  data.attach(*optimizer, 0);

  class Watched final : public Objective {
   public:
    Watched(Objective& inner, Counting& ranks) : inner_(inner), ranks_(ranks) {}
    StepShape begin(int64_t step) override { return inner_.begin(step); }
    double accumulate(int64_t step, int64_t micro) override {
      int64_t before = ranks_.messages;
      double loss = inner_.accumulate(step, micro);
      early = ranks_.messages - before;
      return loss;
    }
    void observe_backward(BackwardObserver* observer) override { inner_.observe_backward(observer); }
    void save_weights(const std::string&) override {}
    void load_weights(const std::string&) override {}
    int64_t early = 0;

   private:
    Objective& inner_;
    Counting& ranks_;
  } watched(objective, ranks);

  for (int64_t step = 0; step < kSteps; ++step) {
    data.accumulate(watched, step, watched.begin(step).micro_batches, exec);
    double norm = data.gradient_norm(exec);
    optimizer->step(exec, {step + 1, 0.01, optim::clip_scale(norm, 1)});
    data.share_values();
    early = watched.early;
  }
  auto values = model->parameters().values<float>();
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("the sum over ranks begins inside the backward pass and has the bits of one process") {
  int64_t none = 0;
  std::vector<float> expected = train(alone(), 4, none);
  CHECK(none == 0);
  for (int size : {2, 4}) {
    CAPTURE(size);
    std::atomic<int64_t> early{0};
    std::atomic<bool> same{true};
    LocalRanks::run(size, [&](Communicator& ranks) {
      int64_t mine = 0;
      if (train(ranks, 4, mine) != expected) same = false;
      early += mine;
    });
    CHECK(same);
    CHECK(early > 0);
  }
}
