// A hundred training steps in double against PyTorch's: training_golden.json holds its numbers, make_training_golden.py
// wrote it.
#include "golden.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "temporary_folder.h"

namespace llmkit::test {
namespace {

constexpr int64_t kRows = 4, kLength = 16, kVocabulary = 31;

// As tokens_of in make_training_golden.py.
int32_t token(int64_t step, int64_t row, int64_t i) {
  return static_cast<int32_t>((7 * i + 11 * row + step * (i * i % 3)) % kVocabulary);
}

}  // namespace

TEST_CASE("a hundred steps with AdamW, schedule and clipping stay within 1e-9 of PyTorch's") {
  Json golden = formats::load_json(std::string(LLMKIT_SOURCE_DIR) + "/tests/parity/training_golden.json");
  Parallel parallel(2);
  for (const auto& [kind, expected] : golden.at("models").as_object().members) {
    INFO("model ", kind);
    TemporaryFolder folder;
    write_folder(folder.path, expected);
    auto model = models::Model::load(folder.path, parallel, {.dtype = DType::f64});
    Tape tape(parallel);
    auto adamw = optim::optimizers().make("adamw:beta1=0.9,beta2=0.95,epsilon=1e-8,weight-decay=0.1");
    auto cosine = optim::schedules().make("cosine");
    adamw->attach(model->parameters());
    const auto& wanted = expected.get_array("losses_and_norms");
    auto steps = static_cast<int64_t>(wanted.size());
    REQUIRE(steps == 100);
    std::vector<int32_t> tokens(kRows * kLength), targets(tokens.size());
    std::vector<float> weights(tokens.size(), 1.0f / (kRows * kLength));  // a power of two: exact
    models::TokenBatch batch;
    batch.sequences = kRows;
    batch.length = kLength;
    batch.tokens = tokens;
    for (int64_t step = 0; step < steps; ++step) {
      for (int64_t i = 0; i < kRows * kLength; ++i) {
        tokens[static_cast<size_t>(i)] = token(step, i / kLength, i % kLength);
        targets[static_cast<size_t>(i)] = token(step, i / kLength, i % kLength + 1);
      }
      tape.begin(static_cast<uint64_t>(step));
      model->parameters().clear_gradients();
      Tensor loss = model->loss(tape, batch, targets, weights);
      tape.backward(loss);
      double norm = optim::gradient_norm(tape.exec(), model->parameters());
      double rate = cosine->rate(step, {0.003, 0.0003, 10, steps});
      adamw->step(tape.exec(), {step + 1, rate, optim::clip_scale(norm, 1.0)});
      const Json& row = wanted[static_cast<size_t>(step)];
      INFO("step ", step);
      CHECK(std::fabs(*loss.data<double>() - row.as_array()[0].as_real()) < 1e-9);
      CHECK(std::fabs(norm - row.as_array()[1].as_real()) < 1e-9 * (1 + norm));
    }
    for (const auto& [name, weight] : by_their_names(*model, model->parameters().values<double>())) {
      INFO(name);
      check_probe(weight, numbers(expected.at("weights").at(name)), 1e-9);
    }
  }
}

}  // namespace llmkit::test
