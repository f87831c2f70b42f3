// Many independent runs of one agent in one world, in parallel, with the exact answer beside them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "rl/agent.h"
#include "rl/dynamic_programming.h"

namespace llmkit::rl {

struct ExperimentOptions {
  int64_t runs = 50;
  int64_t episodes = 500;
  int64_t max_steps = 0;  // 0 = the world's own
  double gamma = -1;      // negative = the world's own
};

// What is known about a world without learning.
struct Truth {
  double gamma = 1;
  Solution optimal;                            // V* and its first greedy actions
  double start_value = 0;                      // V* averaged over the starts
  std::optional<std::vector<double>> uniform;  // V of the uniform policy, where it ends
  double within_limit = 0;                     // best undiscounted return of max_steps steps
};
Truth exact_truth(const Environment& world, const ExperimentOptions& options);

struct ExperimentResult {
  std::string agent;  // its spec
  Agent::Kind kind = Agent::Kind::control;
  int64_t runs = 0;
  std::vector<double> mean, error;                       // of the curve at each point; the standard error of the mean
  double first_mean = 0, last_mean = 0, last_error = 0;  // over the first and last `window` points and all runs
  int64_t window = 0;
  int64_t steps = 0;
  std::vector<double> values;   // of the first run
  std::vector<int32_t> greedy;  // actions of the first run's final values (empty for prediction)
  double residual = 0;          // Bellman residual of the first run's values (prediction: of their policy)
  double max_error = 0;         // largest distance of the first run's values to the exact ones
  // Of the greedy policies after training, over runs; for control and planning.
  double greedy_value = 0;   // mean exact value at the start, of the runs whose policy ends
  double optimal_share = 0;  // share of runs whose policy is worth V* within 1e-6
  double endless_share = 0;  // share of runs whose greedy policy never ends
};

// The same bytes for any thread count: run i draws from the stream (seed, agent, i), curves combine in the order of
// runs. Stops early, with the runs it has, when a stop is requested.
ExperimentResult run_experiment(const Environment& world, const Truth& truth, std::string_view agent_spec,
                                const ExperimentOptions& options, Context& context);

}  // namespace llmkit::rl
