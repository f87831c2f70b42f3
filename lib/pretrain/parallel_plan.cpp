#include "pretrain/parallel_plan.h"

namespace llmkit::pretrain {
namespace {

struct Sizes {
  double weights, gradients, optimizer, activations;
  double layer_boundary;  // bytes of the states of a micro-batch between two layers
  double layers, micro_batches;
};

// `stage` of ZeRO; a ring all-reduce sends 2 (n-1)/n of its bytes, reduce-scatter and all-gather half of that each.
ParallelPlan data_parallel(const Sizes& s, int stage, int64_t ranks) {
  auto n = static_cast<double>(ranks);
  double share = (n - 1) / n;
  ParallelPlan plan{stage == 0 ? "data parallel" : "ZeRO-" + std::to_string(stage),
                    ranks,
                    s.weights,
                    s.gradients,
                    s.optimizer,
                    s.activations};
  if (stage >= 1) plan.optimizer /= n;
  if (stage >= 2) plan.gradients /= n;
  if (stage >= 3) plan.weights /= n;
  // ZeRO-3 fetches the weights for the forward and again for the backward pass.
  plan.sent = share * (s.gradients + (stage == 3 ? 2 : 1) * s.weights);
  return plan;
}

ParallelPlan tensor_parallel(const Sizes& s, int64_t ranks) {
  auto n = static_cast<double>(ranks);
  ParallelPlan plan{"tensor parallel", ranks,           s.weights / n,
                    s.gradients / n,   s.optimizer / n, s.activations * (10 + 24 / n) / 34};
  plan.sent = 4 * 2 * (n - 1) / n * s.layer_boundary * s.layers * s.micro_batches;
  return plan;
}

ParallelPlan pipeline(const Sizes& s, int64_t ranks) {
  auto n = static_cast<double>(ranks);
  // The first stage: a p-th of the layers of up to p micro-batches in flight.
  double in_flight = s.micro_batches < n ? s.micro_batches : n;
  ParallelPlan plan{"pipeline", ranks, s.weights / n, s.gradients / n, s.optimizer / n, s.activations / n * in_flight};
  plan.sent = 2 * s.layer_boundary * s.micro_batches;
  plan.idle = (n - 1) / (s.micro_batches + n - 1);
  return plan;
}

}  // namespace

std::vector<ParallelPlan> parallel_plans(const models::ModelConfig& config, const models::MemoryPlan& one,
                                         const ParallelRequest& request, const std::vector<int64_t>& ranks) {
  auto real = [](auto n) { return static_cast<double>(n); };
  Sizes sizes{real(one.weights + one.packed_weights),
              real(one.gradients),
              real(one.optimizer),
              real(one.activations + one.activation_gradients + one.workspace),
              4.0 * real(request.sequences) * real(request.length) * real(config.hidden_size),
              real(config.layers),
              real(request.micro_batches)};
  std::vector<ParallelPlan> plans;
  for (int stage = 0; stage <= 3; ++stage)
    for (int64_t n : ranks) plans.push_back(data_parallel(sizes, stage, n));
  for (int64_t n : ranks)
    if (config.kv_heads % n == 0) plans.push_back(tensor_parallel(sizes, n));
  for (int64_t n : ranks)
    if (config.layers >= n) plans.push_back(pipeline(sizes, n));
  return plans;
}

}  // namespace llmkit::pretrain
