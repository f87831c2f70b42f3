// One model trained by several ranks: each has the whole weights and computes its groups of a step's micro-batches.
//
// Rank r of R has the groups r·G/R … (r + 1)·G/R - 1, a subtree of gradient_tree.h; tile_exchange.h goes on up the tree.
// With one rank nothing is exchanged and nothing costs anything.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/communicator.h"
#include "engine/gradient_tree.h"
#include "engine/tile_exchange.h"
#include "nn/parameters.h"

namespace llmkit::engine {

using Settings = std::vector<std::pair<std::string, std::string>>;

class DataParallel {
 public:
  // UsageError where the ranks do not divide the groups.
  DataParallel(Communicator& ranks, nn::ParameterStore& parameters, int64_t groups);

  bool leader() const { return ranks_.leader(); }
  Communicator& ranks() { return ranks_; }

  // UsageError on every rank, saying which rank differs in what, unless all have the same settings.
  void expect_same_everywhere(const Settings& settings);

  // Gradients and loss of the step, summed over all groups; every rank gets both.
  double accumulate(Objective& objective, int64_t step, int64_t micro_batches, const kernels::Exec& exec);

  bool any(bool mine);  // true everywhere if it is true somewhere

 private:
  Communicator& ranks_;
  nn::ParameterStore& parameters_;
  GradientTree tree_;
  TileExchange exchange_;
};

// Throws UsageError unless `ranks` processes can share `groups` groups.
void check_ranks(int ranks, int64_t groups);

}  // namespace llmkit::engine
