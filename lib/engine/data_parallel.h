// One model trained by several ranks: each has the whole weights and computes its groups of a step's micro-batches.
//
// Rank r of R has the groups r·G/R … (r + 1)·G/R - 1, a subtree of gradient_tree.h; tile_exchange.h goes on up the
// tree. With one rank nothing is exchanged and nothing costs anything.
//
// The optimiser's state is shared out (ZeRO-1: Rajbhandari et al., "ZeRO: memory optimizations toward training trillion
// parameter models", 2020): a rank updates the tiles that it owns, and then all get the new weights. An optimiser that
// needs whole matrices (muon) is dealt whole parameters; since those are not the tiles that the sums are made in, each
// rank is given all of the sum first, which costs half as much again to send.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/communicator.h"
#include "engine/gradient_tree.h"
#include "engine/tile_exchange.h"
#include "nn/parameters.h"
#include "optim/optimizer.h"

namespace llmkit::engine {

using Settings = std::vector<std::pair<std::string, std::string>>;

struct Asked {  // what a signal may ask of a process
  bool stop = false, save = false;
};

class DataParallel : private BackwardObserver {
 public:
  // UsageError where the ranks do not divide the groups.
  DataParallel(Communicator& ranks, nn::ParameterStore& parameters, int64_t groups, const optim::Optimizer& optimizer);

  bool leader() const { return ranks_.leader(); }
  Communicator& ranks() { return ranks_; }

  // UsageError on every rank, saying which rank differs in what, unless all have the same settings.
  void expect_same_everywhere(const Settings& settings);

  // Gradients and loss of the step, summed over all groups; every rank gets the loss, and the gradients
  // of the tiles that it owns.
  double accumulate(Objective& objective, int64_t step, int64_t micro_batches, const kernels::Exec& exec);

  double gradient_norm(const kernels::Exec& exec);  // of the whole sum
  // Gives all ranks the whole sum where the optimiser does not need it: for statistics.
  void share_gradients();
  Asked any(const Asked& mine);  // true everywhere if it is true somewhere

  void attach(optim::Optimizer& optimizer, double ema_decay);  // with this rank's share
  void share_values();                                         // after an update: everyone gets the new weights
  // Around a checkpoint: rank 0 gets the whole state; after a load it hands it out.
  void collect_state(optim::Optimizer& optimizer);
  void hand_out_state(optim::Optimizer& optimizer);

 private:
  void begins() override;
  void ran(int64_t record) override;
  void start_sum();
  void learn_order();

  Communicator& ranks_;
  nn::ParameterStore& parameters_;
  GradientTree tree_;
  TileExchange sums_;     // of the gradients
  TileExchange updates_;  // of weights and state: the same tiles, or whole parameters
  bool whole_parameters_;
  // The sum goes on beside the last backward of a step: which record is the last to ask for a parameter's gradient is
  // seen in the first step and is the same in all others.
  std::vector<int64_t> final_after_;  // of each parameter; empty before the first step
  size_t not_final_ = 0;              // parameters [0, not_final_) may still change
  bool running_ = false;
  const kernels::Exec* exec_ = nullptr;
};

// Bytes of what a rank has beside weights and gradients, at most: its share of the optimiser's state, and the buffers
// that others' sums arrive in. `assembled`: the others' shares, which rank 0 holds too while it saves or loads a
// checkpoint.
struct SharedMemory {
  size_t optimizer = 0, assembled = 0, messages = 0;
};
SharedMemory planned_memory(const optim::Optimizer& optimizer, const nn::ParameterStore& parameters, double ema_decay,
                            int ranks);

// Throws UsageError unless `ranks` processes can share `groups` groups.
void check_ranks(int ranks, int64_t groups);

}  // namespace llmkit::engine
