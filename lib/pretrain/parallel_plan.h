// What a training run would need per machine if it were spread over several: memory and bytes sent, by formula.
//
//   data parallel    every rank holds the model and takes its share of the sequences; gradients are summed
//   ZeRO 1, 2, 3     (Rajbhandari et al., 2020) also divides the optimiser's state, the gradients, the weights by the
//   ranks tensor parallel  (Shoeybi et al., "Megatron-LM", 2019) divides every matrix, and two sums of activations a
//   layer and
//                    direction pass between the ranks; of a layer's activations 10 parts in 34 stay whole (Korthikanti
//                    et al., 2022, equation 2)
//   pipeline         (Huang et al., "GPipe", 2019; 1F1B: Narayanan et al., 2019) divides the layers; with m
//   micro-batches
//                    p stages idle (p-1)/(m+p-1) of the time, and the first stage holds p micro-batches' activations
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/config.h"
#include "models/model.h"

namespace llmkit::pretrain {

struct ParallelPlan {
  std::string kind;  // "ZeRO-1"
  int64_t ranks = 1;
  double weights = 0, gradients = 0, optimizer = 0, activations = 0;  // bytes per rank
  double sent = 0;                                                    // bytes that a rank sends in a step
  double idle = 0;                                                    // share of the time that a stage waits
  double total() const { return weights + gradients + optimizer + activations; }
};

struct ParallelRequest {
  int64_t sequences = 1, length = 1, micro_batches = 1;  // of a step, on one rank
};

// Every kind at each number of ranks; combinations that do not divide the model are left out.
std::vector<ParallelPlan> parallel_plans(const models::ModelConfig& config, const models::MemoryPlan& one,
                                         const ParallelRequest& request, const std::vector<int64_t>& ranks);

}  // namespace llmkit::pretrain
