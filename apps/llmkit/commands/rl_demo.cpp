#include <cmath>
#include <cstdio>
#include <iostream>
#include <limits>

#include "base/json_writer.h"
#include "base/report.h"
#include "base/units.h"
#include "command.h"
#include "io/files.h"
#include "rl/render.h"

namespace llmkit::cli {
namespace {

constexpr uint64_t kRolloutStream = 0x726F6C6C6F7574;

std::string text(double value, const char* format = "%.6g") {
  char out[40];
  std::snprintf(out, sizeof out, format, value);
  return out;
}

class RlDemo : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "rl-demo",
        "Learning",
        "reinforcement learning beside the exact answer",
        {"llmkit rl-demo --env cliff-walking --agent sarsa --agent q-learning --agent expected-sarsa",
         "llmkit rl-demo --env frozen-lake:map=8x8 --agent value-iteration -o run"},
        "Every world has its exact transition table, so that the optimal values V* (value iteration to 1e-13) stand "
        "beside "
        "each learning curve, with the Bellman residual max |T v - v| of what was learned, and the exact value of the "
        "greedy "
        "policy that came out. Predictors learn the values of the random policy and are measured against those.\n\n"
        "--runs independent runs are averaged; run i draws from a random stream of its own, so that the result does "
        "not "
        "depend on --threads. --list shows the worlds and methods with their parameters and sources. With -o DIR, "
        "DIR/metrics.jsonl, DIR/report.txt and DIR/report.html are written.\n\n"
        "Figures for --min, of the last agent: last_return (or last_error), greedy_value, optimal_share, residual, gap "
        "(how far the greedy policy is below V*), neg_gap and neg_residual (the same below zero, for gates).",
        kUsesOutput | kUsesThreads | kUsesSeed | kUsesForce | kUsesJson | kUsesReport | kUsesManifest | kUsesGates};
    return info;
  }

  void declare(Options& options) override {
    options.text("--env", &env_, "NAME", "world, with parameters as NAME:key=value,key=value");
    options.list("--agent", &agents_, "NAME",
                 "method, with parameters (default q-learning); may be repeated to compare");
    options.boolean("--list", &list_, "show all worlds and methods and stop");
    options.integer("--episodes", &options_.episodes, "N", "episodes of a run; planners: most sweeps", 1, 100'000'000);
    options.integer("--runs", &options_.runs, "N", "independent runs", 1, 1'000'000);
    options.integer("--max-steps", &options_.max_steps, "N", "steps after which an episode is cut; 0 = the world's own",
                    0, 1'000'000'000);
    options.real("--gamma", &options_.gamma, "G", "discount; negative = the world's own", -1, 1);
  }

  ExitCode run(Context& context, const Common& common) override {
    if (list_) {
      std::cout << "worlds\n"
                << family(rl::environments().descriptors()) << "\nmethods\n"
                << family(rl::agents().descriptors());
      return ExitCode::done;
    }
    if (options_.episodes > 0 && options_.runs > 2'000'000'000 / options_.episodes)
      throw UsageError(ErrorParts{"too many curve points", "--runs x --episodes", "at most 2e9", "", ""});
    if (agents_.empty()) agents_ = {"q-learning"};
    auto world = rl::environments().make(env_);
    for (auto& spec : agents_) rl::agents().make(spec);  // mistakes show before any work
    auto truth = rl::exact_truth(*world, options_);
    std::vector<rl::ExperimentResult> results;
    for (auto& spec : agents_) results.push_back(rl::run_experiment(*world, truth, spec, options_, context));

    std::string page = as_text(*world, truth, results, context.seed);
    bool to_folder = common.output != "-";
    if (to_folder) {
      io::AtomicFolder folder(common.output, common.force);
      io::write_file_atomically(folder.file("metrics.jsonl"), metrics(results));
      io::write_file_atomically(folder.file("report.txt"), page);
      io::write_file_atomically(folder.file("report.html"), as_report(*world, truth, results, context.seed).html());
      folder.finish();
    }
    if (!common.report.empty())
      io::write_file_atomically(common.report, as_report(*world, truth, results, context.seed).html());
    std::cout << page << std::flush;
    return common.finish(summary(common, truth, results.back()));
  }

 private:
  static std::string family(const std::vector<Descriptor>& entries) {
    std::string out;
    for (auto& entry : entries) {
      out += "  " + std::string(entry.name) + std::string(entry.name.size() < 24 ? 24 - entry.name.size() : 1, ' ') +
             std::string(entry.summary) + " (" + std::string(entry.paper) + ")\n";
      for (auto& p : entry.params)
        out += "      " + std::string(p.name) + "=" + std::string(p.fallback) + "  " + std::string(p.help) + "\n";
    }
    return out;
  }

  static bool predicts(const rl::ExperimentResult& r) { return r.kind == rl::Agent::Kind::prediction; }
  static const char* axis(const rl::ExperimentResult& r) {
    return predicts(r)                           ? "RMS error"
           : r.kind == rl::Agent::Kind::planning ? "value of the start"
                                                 : "return of an episode";
  }

  static std::vector<std::pair<std::string, std::string>> facts(const rl::Truth& truth, const rl::ExperimentResult& r) {
    std::vector<std::pair<std::string, std::string>> out;
    if (r.kind != rl::Agent::Kind::planning) {
      std::string window = std::to_string(r.window);
      out.emplace_back(std::string(axis(r)) + ", first " + window, text(r.first_mean, "%.4f"));
      out.emplace_back(std::string(axis(r)) + ", last " + window,
                       text(r.last_mean, "%.4f") + " +- " + text(r.last_error, "%.4f"));
      out.emplace_back("runs, steps", std::to_string(r.runs) + ", " + format_count(static_cast<uint64_t>(r.steps)));
    } else {
      out.emplace_back("sweeps", std::to_string(r.mean.size()));
    }
    if (!predicts(r)) {
      out.emplace_back("exact value of the greedy policy",
                       r.endless_share < 1 ? text(r.greedy_value) : "it never ends");
      out.emplace_back("optimality gap", r.endless_share < 1 ? text(truth.start_value - r.greedy_value) : "-");
      out.emplace_back("runs with an optimal policy", text(100 * r.optimal_share, "%.0f") + " %");
      if (r.endless_share > 0)
        out.emplace_back("runs whose greedy policy never ends", text(100 * r.endless_share, "%.0f") + " %");
    }
    out.emplace_back("Bellman residual, run 1", text(r.residual, "%.3g"));
    out.emplace_back("largest error of a value, run 1", text(r.max_error, "%.3g"));
    return out;
  }

  static std::vector<std::pair<std::string, std::string>> exact_facts(const rl::Environment& world,
                                                                      const rl::Truth& truth) {
    return {{"states", std::to_string(world.mdp.states())},
            {"discount", text(truth.gamma)},
            {"V* at the start", text(truth.start_value, "%.10g")},
            {"value iteration sweeps", std::to_string(truth.optimal.sweeps)},
            {"best return within the step limit", text(truth.within_limit, "%.10g")}};
  }

  std::string as_text(const rl::Environment& world, const rl::Truth& truth,
                      const std::vector<rl::ExperimentResult>& results, uint64_t seed) const {
    std::string out = world.title + "\n\n";
    auto lines = [&](const std::vector<std::pair<std::string, std::string>>& items) {
      for (auto& [key, value] : items)
        out += "  " + key + std::string(key.size() < 38 ? 38 - key.size() : 1, ' ') + value + "\n";
    };
    lines(exact_facts(world, truth));
    out += "\noptimal policy\n" + rl::draw_policy(world, truth.optimal.actions);
    if (auto values = rl::draw_values(world, truth.optimal.values); !values.empty()) out += "\nV*\n" + values;
    std::vector<rl::Curve> curves;
    for (auto& r : results) curves.push_back({r.agent, r.mean});
    double reference = predicts(results[0]) ? 0 : truth.start_value;
    out += "\n" + std::string(axis(results[0])) +
           (results[0].kind == rl::Agent::Kind::planning ? ", by sweep\n" : ", mean over runs, by episode\n") +
           rl::plot(curves, reference, predicts(results[0]) ? "exact" : "V*", 72, 17);
    for (auto& r : results) {
      out += "\n" + r.agent + "  " + rl::sparkline(r.mean, 40) + "\n";
      lines(facts(truth, r));
      if (r.greedy.empty()) continue;
      out += "\n  greedy policy, run 1\n" + rl::draw_policy(world, r.greedy);
      Rng rng{kRolloutStream, seed};
      out += "  rollout\n" +
             rl::draw_rollout(world, r.greedy, options_.max_steps > 0 ? options_.max_steps : world.max_steps, rng);
    }
    return out;
  }

  Report as_report(const rl::Environment& world, const rl::Truth& truth,
                   const std::vector<rl::ExperimentResult>& results, uint64_t seed) const {
    Report page(world.title, "llmkit rl-demo --env " + env_);
    page.key_values(exact_facts(world, truth));
    std::vector<Series> series;
    size_t longest = 0;
    for (auto& r : results) {
      Series curve{r.agent, {}, r.mean};
      for (size_t i = 0; i < r.mean.size(); ++i) curve.x.push_back(static_cast<double>(i + 1));
      longest = std::max(longest, r.mean.size());
      series.push_back(std::move(curve));
    }
    double reference = predicts(results[0]) ? 0 : truth.start_value;
    series.push_back({predicts(results[0]) ? "exact" : "V* at the start",
                      {1, static_cast<double>(longest)},
                      {reference, reference},
                      true});
    bool planning = results[0].kind == rl::Agent::Kind::planning;
    page.line_chart({.title = planning ? "Planning" : "Learning, mean over runs",
                     .x_label = planning ? "sweep" : "episode",
                     .y_label = axis(results[0])},
                    series);
    page.heading("Exact");
    page.preformatted(rl::draw_policy(world, truth.optimal.actions), "optimal policy (the first of equal actions)");
    if (auto values = rl::draw_values(world, truth.optimal.values); !values.empty()) page.preformatted(values, "V*");
    for (auto& r : results) {
      page.heading(r.agent);
      page.key_values(facts(truth, r));
      if (r.greedy.empty()) continue;
      page.preformatted(rl::draw_policy(world, r.greedy), "greedy policy of the first run");
      Rng rng{kRolloutStream, seed};
      page.preformatted(
          rl::draw_rollout(world, r.greedy, options_.max_steps > 0 ? options_.max_steps : world.max_steps, rng),
          "one episode under it");
    }
    return page;
  }

  static std::string metrics(const std::vector<rl::ExperimentResult>& results) {
    std::string out;
    for (auto& r : results) {
      for (size_t i = 0; i < r.mean.size(); ++i) {
        JsonWriter json(out);
        json.begin_object()
            .member("agent", r.agent)
            .member(r.kind == rl::Agent::Kind::planning ? "sweep" : "episode", i + 1);
        json.member(predicts(r)                           ? "rms_error"
                    : r.kind == rl::Agent::Kind::planning ? "start_value"
                                                          : "return",
                    r.mean[i]);
        json.member("standard_error", r.error[i]).end_object();
        out += '\n';
      }
    }
    return out;
  }

  static Summary summary(const Common& common, const rl::Truth& truth, const rl::ExperimentResult& r) {
    Summary s;
    s.unit = "runs";
    s.in = s.kept = static_cast<uint64_t>(r.runs);
    s.written = common.output;
    double gap = r.endless_share < 1 ? truth.start_value - r.greedy_value : std::numeric_limits<double>::infinity();
    s.metrics = {{predicts(r) ? "last_error" : "last_return", r.last_mean},
                 {"residual", r.residual},
                 {"neg_residual", -r.residual},
                 {"max_error", r.max_error},
                 {"start_value", truth.start_value}};
    if (!predicts(r)) {
      s.metrics.insert(
          s.metrics.end(),
          {{"greedy_value", r.greedy_value}, {"optimal_share", r.optimal_share}, {"gap", gap}, {"neg_gap", -gap}});
    }
    s.outputs = {common.output};
    if (!common.report.empty()) s.outputs.push_back(common.report);
    return s;
  }

  std::string env_ = "frozen-lake";
  std::vector<std::string> agents_;
  rl::ExperimentOptions options_;
  bool list_ = false;
};

}  // namespace

std::unique_ptr<Command> make_rl_demo() {
  return std::make_unique<RlDemo>();
}

}  // namespace llmkit::cli
