// Training steps on request, for tests/bench/pretrain/against_peers: a line on stdin runs one step (forward, backward,
// gradient norm, AdamW) on random tokens and prints its seconds; at the end of input comes what the run used.
//   bench_pretrain LAYERS WIDTH HEADS VOCABULARY SEQUENCES LENGTH f32|bf16 [THREADS [RECOMPUTE [parts]]]
// With `parts` a step prints forward, backward and update apart.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/parallel.h"
#include "base/rng.h"
#include "kernels/peak.h"
#include "models/model.h"
#include "optim/optimizer.h"

using namespace llmkit;

int main(int argc, char** argv) {
  if (argc < 8) return 2;
  models::ModelConfig config;
  config.architecture = "gpt2";
  config.layers = std::atoll(argv[1]);
  config.hidden_size = std::atoll(argv[2]);
  config.heads = std::atoll(argv[3]);
  config.vocab_size = std::atoll(argv[4]);
  config.norm = "layer-norm";
  config.activation = "gelu_new";
  config.gated = false;
  config.position = "learned";
  config.qkv_bias = config.output_bias = config.ffn_bias = true;
  int64_t sequences = std::atoll(argv[5]), length = std::atoll(argv[6]);
  config.max_positions = std::max<int64_t>(length, 1024);
  Precision precision = std::strcmp(argv[7], "bf16") == 0 ? Precision::bf16 : Precision::f32;
  Parallel parallel(argc > 8 ? std::atoi(argv[8]) : 0);
  bool parts = argc > 10;

  models::ModelOptions model_options;
  if (argc > 9) model_options.recompute = models::parse_recompute(argv[9]);
  auto model = models::Model::create(config, 1, parallel, model_options);
  auto optimizer = optim::optimizers().make("adamw:weight-decay=0.1");
  optimizer->attach(model->parameters());
  kernels::Workspace workspace;
  kernels::Exec exec{parallel, workspace};
  models::PlanRequest request;
  request.sequences = sequences;
  request.length = length;
  request.precision = precision;
  request.recompute = model_options.recompute;
  models::MemoryPlan plan = models::Model::plan(config, request);
  Tape tape(parallel, TapeOptions{true, false, precision, 1});
  tape.reserve(plan.activations);

  auto rows = static_cast<size_t>(sequences * length);
  std::vector<int32_t> tokens(rows), targets(rows);
  std::vector<float> weights(rows, 1.0f / static_cast<float>(rows));
  Rng rng{1};
  for (size_t i = 0; i < rows; ++i) {
    tokens[i] = static_cast<int32_t>(rng.below(static_cast<uint64_t>(config.vocab_size)));
    targets[i] = static_cast<int32_t>(rng.below(static_cast<uint64_t>(config.vocab_size)));
  }
  models::TokenBatch batch;
  batch.sequences = sequences;
  batch.length = length;
  batch.tokens = tokens;
  auto now = [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); };

  char line[16];
  double loss_value = 0;
  for (int64_t step = 0; std::fgets(line, sizeof line, stdin); ++step) {
    double begin = now();
    model->parameters().clear_gradients();
    tape.begin(static_cast<uint64_t>(step));
    Tensor loss = model->loss(tape, batch, targets, weights);
    double forward = now();
    tape.backward(loss);
    loss_value = static_cast<double>(*loss.data<float>());
    double backward = now();
    double norm = optim::gradient_norm(exec, model->parameters());
    optimizer->step(exec, {step + 1, 1e-4, optim::clip_scale(norm, 1.0)});
    double end = now();
    if (parts)
      std::printf("%.4f forward %.4f backward %.4f update %.4f\n", end - begin, forward - begin, backward - forward,
                  end - backward);
    else
      std::printf("%.5f\n", end - begin);
    std::fflush(stdout);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("{\"loss\": %.6f, \"peak_mb\": %ld, \"planned_mb\": %zu, \"packed_mb\": %zu, \"workspace_mb\": %zu}\n",
              loss_value, usage.ru_maxrss / 1024, plan.total() >> 20, model->parameters().packed_bytes() >> 20,
              tape.peak().workspace >> 20);
  std::fprintf(stderr, "%s", plan.text().c_str());
}
