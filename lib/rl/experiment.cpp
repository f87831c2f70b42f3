#include "rl/experiment.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "rl/control.h"

namespace llmkit::rl {
namespace {

constexpr uint64_t kStream = 0x726C2D72756E;
constexpr int64_t kWindow = 100;  // "first and last 100 episodes", the convention of the published figures
constexpr int64_t kMaxSweeps = 1'000'000;

double at_start(const Environment& world, const std::vector<double>& values) {
  double sum = 0;
  for (size_t s = 0; s < values.size(); ++s) sum += world.start[s] * values[s];
  return sum;
}

// Greedy actions of a table of action values, the first of equals.
std::vector<int32_t> greedy_of(const Mdp& mdp, const Learned& learned, double gamma) {
  if (learned.action_values.empty()) return greedy_actions(mdp, learned.values, gamma);
  std::vector<int32_t> out(static_cast<size_t>(mdp.states()), -1);
  for (int32_t s = 0; s < mdp.states(); ++s) {
    if (mdp.terminal(s)) continue;
    const double* q = &learned.action_values[mdp.index(s, 0)];
    out[static_cast<size_t>(s)] = static_cast<int32_t>(std::max_element(q, q + mdp.actions(s)) - q);
  }
  return out;
}

// The exact value at the start of a deterministic policy; nothing where it may walk for ever from there. States that
// cannot be reached are made terminal, so that what a learner never saw does not matter.
std::optional<double> start_value_of(const Environment& world, const std::vector<int32_t>& actions, double gamma) {
  const Mdp& mdp = world.mdp;
  std::vector<bool> reached(static_cast<size_t>(mdp.states()));
  std::vector<int32_t> queue;
  auto reach = [&](int32_t s) {
    if (reached[static_cast<size_t>(s)]) return;
    reached[static_cast<size_t>(s)] = true;
    queue.push_back(s);
  };
  for (int32_t s = 0; s < mdp.states(); ++s)
    if (world.start[static_cast<size_t>(s)] > 0) reach(s);
  for (size_t i = 0; i < queue.size(); ++i) {
    if (mdp.terminal(queue[i])) continue;
    for (auto& o : mdp.outcomes(queue[i], actions[static_cast<size_t>(queue[i])]))
      if (!o.ends && o.probability > 0) reach(o.next);
  }
  Mdp chain;
  for (int32_t s = 0; s < mdp.states(); ++s) {
    if (!reached[static_cast<size_t>(s)] || mdp.terminal(s)) {
      chain.add_state({});
      continue;
    }
    auto outcomes = mdp.outcomes(s, actions[static_cast<size_t>(s)]);
    chain.add_state({std::vector<Outcome>(outcomes.begin(), outcomes.end())});
  }
  auto values = policy_values(chain, uniform_policy(chain), gamma);
  if (!values) return std::nullopt;
  return at_start(world, *values);
}

uint64_t name_key(std::string_view name) {
  uint64_t key = 0;
  for (char c : name) key = stream_key({key, static_cast<unsigned char>(c)});
  return key;
}

// max_s |sum_a pi(a|s) q(s,a) - v(s)| for the uniform policy.
double uniform_residual(const Mdp& mdp, const std::vector<double>& values, double gamma) {
  double worst = 0;
  for (int32_t s = 0; s < mdp.states(); ++s) {
    double sum = 0;
    for (int32_t a = 0; a < mdp.actions(s); ++a) sum += action_value(mdp, values, s, a, gamma) / mdp.actions(s);
    worst = std::max(worst, std::abs(sum - values[static_cast<size_t>(s)]));
  }
  return worst;
}

void summarize_curves(const std::vector<Learned>& runs, ExperimentResult& out) {
  size_t points = runs[0].curve.size();
  auto n = static_cast<double>(runs.size());
  out.mean.assign(points, 0);
  out.error.assign(points, 0);
  for (auto& run : runs)
    for (size_t i = 0; i < points; ++i) out.mean[i] += run.curve[i] / n;
  for (auto& run : runs)
    for (size_t i = 0; i < points; ++i) out.error[i] += (run.curve[i] - out.mean[i]) * (run.curve[i] - out.mean[i]);
  for (double& e : out.error) e = runs.size() > 1 ? std::sqrt(e / (n - 1) / n) : 0;

  auto window = static_cast<size_t>(std::min<int64_t>(kWindow, static_cast<int64_t>(points)));
  out.window = static_cast<int64_t>(window);
  double squares = 0;
  std::vector<double> last(runs.size());
  for (size_t r = 0; r < runs.size(); ++r)
    for (size_t i = 0; i < window; ++i) last[r] += runs[r].curve[points - 1 - i] / static_cast<double>(window);
  for (size_t i = 0; i < window; ++i) out.first_mean += out.mean[i] / static_cast<double>(window);
  for (double x : last) out.last_mean += x / n;
  for (double x : last) squares += (x - out.last_mean) * (x - out.last_mean);
  out.last_error = runs.size() > 1 ? std::sqrt(squares / (n - 1) / n) : 0;
}

}  // namespace

Truth exact_truth(const Environment& world, const ExperimentOptions& options) {
  Truth truth;
  truth.gamma = options.gamma < 0 ? world.gamma : options.gamma;
  truth.optimal = value_iteration(world.mdp, truth.gamma, 1e-13, kMaxSweeps);
  if (!truth.optimal.converged)
    throw Error({"the values of this world grow without bound", world.title, "a discount below 1",
                 std::to_string(truth.gamma), "give --gamma 0.9"});
  truth.start_value = at_start(world, truth.optimal.values);
  truth.uniform = policy_values(world.mdp, uniform_policy(world.mdp), truth.gamma);
  int64_t limit = options.max_steps > 0 ? options.max_steps : world.max_steps;
  truth.within_limit = at_start(world, finite_horizon_values(world.mdp, limit));
  return truth;
}

ExperimentResult run_experiment(const Environment& world, const Truth& truth, std::string_view agent_spec,
                                const ExperimentOptions& options, Context& context) {
  auto agent = agents().make(agent_spec);
  ExperimentResult out;
  out.agent = agent_spec;
  out.kind = agent->kind();
  if (out.kind == Agent::Kind::prediction && !truth.uniform)
    throw Error({"the uniform policy may walk for ever here",
                 world.title,
                 "a world in which it ends, or a discount below 1",
                 {},
                 "give --gamma 0.9"});
  static const std::vector<double> kNone;
  Problem problem{world, truth.gamma, options.episodes, options.max_steps > 0 ? options.max_steps : world.max_steps,
                  truth.uniform ? *truth.uniform : kNone};
  // A planner draws no random numbers: one run says it all.
  int64_t count = out.kind == Agent::Kind::planning ? 1 : options.runs;
  std::vector<Learned> runs(static_cast<size_t>(count));
  std::vector<std::optional<double>> start_values(runs.size());
  std::atomic<int64_t> done{0};
  uint64_t name = name_key(agent_spec);
  context.parallel.for_tiles(count, [&](int64_t i) {
    if (context.stop.requested()) return;
    auto& run = runs[static_cast<size_t>(i)];
    Rng rng{kStream, context.seed, name, static_cast<uint64_t>(i)};
    run = agent->run(problem, rng);
    if (out.kind != Agent::Kind::prediction)
      start_values[static_cast<size_t>(i)] = start_value_of(world, greedy_of(world.mdp, run, truth.gamma), truth.gamma);
    context.progress.update(static_cast<double>(++done), static_cast<double>(count), "runs", agent_spec);
  });
  if (context.stop.requested()) throw Error("interrupted", ExitCode::interrupted);

  out.runs = count;
  summarize_curves(runs, out);
  for (auto& run : runs) out.steps += run.steps;
  const Learned& first = runs[0];
  out.values = first.values;
  bool predicts = out.kind == Agent::Kind::prediction;
  const auto& exact = predicts ? *truth.uniform : truth.optimal.values;
  for (size_t s = 0; s < exact.size(); ++s)
    out.max_error = std::max(out.max_error, std::abs(exact[s] - first.values[s]));
  out.residual = predicts ? uniform_residual(world.mdp, first.values, truth.gamma)
                          : bellman_residual(world.mdp, first.values, truth.gamma);
  if (predicts) return out;
  out.greedy = greedy_of(world.mdp, first, truth.gamma);
  int64_t ending = 0, optimal = 0;
  for (auto& value : start_values) {
    if (!value) continue;
    ++ending;
    out.greedy_value += *value;
    optimal += *value >= truth.start_value - 1e-6;
  }
  if (ending) out.greedy_value /= static_cast<double>(ending);
  out.optimal_share = static_cast<double>(optimal) / static_cast<double>(count);
  out.endless_share = 1 - static_cast<double>(ending) / static_cast<double>(count);
  return out;
}

}  // namespace llmkit::rl
