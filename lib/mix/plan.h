// How much of each source goes into a mixture.
//
// Shares p_i are weight_i^(1 / temperature), normalised; a weight that is not given is the source's size, so that
// temperature 1 keeps natural proportions and higher ones favour small sources (Conneau and Lample 2019, section 3.1).
// A source is repeated at most `max_epochs` times (4 repetitions cost little: Muennighoff et al., "Scaling
// data-constrained language models", 2023); what it cannot give is shared out among the others by their weights.
// Amounts are whole units that add up to the budget exactly (largest remainder).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llmkit::mix {

struct SourceSize {
  std::string name;
  double weight = 0;   // 0 = the size
  uint64_t units = 0;  // bytes or tokens that there are
};

struct SourceShare {
  double share = 0;     // asked for, of the whole
  uint64_t units = 0;   // planned
  bool capped = false;  // held down by the epoch cap
};

struct Plan {
  std::vector<SourceShare> sources;
  uint64_t total = 0;  // planned; less than the budget where every source is at its cap
};

struct PlanOptions {
  uint64_t budget = 0;  // 0 = as much as the shares allow with each source used at most `max_epochs` times
  double temperature = 1;
  double max_epochs = 4;
};

Plan make_plan(const std::vector<SourceSize>& sources, const PlanOptions& options);

// Whole numbers in proportion to `parts` that add up to `total`: the floors, then one more for the largest remainders.
std::vector<uint64_t> largest_remainder(const std::vector<double>& parts, uint64_t total);

}  // namespace llmkit::mix
