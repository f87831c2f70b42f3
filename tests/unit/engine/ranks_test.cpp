// Runs of several ranks leave the bytes of one process, also when they go on with another number of ranks.
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/log.h"
#include "base/rng.h"
#include "engine/data_parallel.h"
#include "engine/fit.h"
#include "engine/fit_state.h"
#include "io/files.h"
#include "local_ranks.h"
#include "optim/optimizer.h"
#include "stage.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::engine;
namespace fs = std::filesystem;

namespace {

// Pulls the weights to random targets that depend on (step, micro) alone. Its numbers round differently in every order.
class Targets final : public Objective {
 public:
  Targets() {
    for (int i = 0; i < 3; ++i)  // names that muon takes as matrices of a layer
      parameters.add({name(i), Shape{200, 350}, nn::Init::normal, 0.5, true});
    parameters.add({"vector", Shape{77}, nn::Init::ones, 0, false});
    parameters.add({"untouched", Shape{9}, nn::Init::zeros, 0, false});
    parameters.allocate();
    parameters.initialise(3, parallel);
  }
  StepShape begin(int64_t step) override {
    if (step == stop_at && stop) stop->request();
    if (step == save_at && stop) stop->request_save();
    if (step == crash_at) throw Error("power cut");
    return {micro_batches, 8, 8};
  }
  double accumulate(int64_t step, int64_t micro) override {
    if (step == nan_at && micro == micro_batches - 1) return std::nan("");
    double loss = 0;
    for (auto& p : parameters.list()) {
      if (p.name == "untouched") continue;
      auto value = parameters.values<float>(p);
      auto gradient = parameters.gradients<float>(p);
      uint64_t key = stream_key({5, static_cast<uint64_t>(step), static_cast<uint64_t>(micro)});
      for (size_t i = 0; i < value.size(); ++i) {
        float error = value[i] - static_cast<float>((key + i * 0x9e3779b97f4a7c15) >> 40) * 0x1p-24f;
        gradient[i] += error;
        loss += static_cast<double>(error * error) / static_cast<double>(value.size());
      }
    }
    return loss / static_cast<double>(micro_batches);
  }
  std::vector<NamedValue> validate() override {
    return {{"val_first", static_cast<double>(parameters.values<float>()[0])}};
  }
  std::string sample(int64_t step) override { return "step " + std::to_string(step); }
  void save_weights(const std::string& folder) override { save_values(folder + "/model.safetensors", parameters); }
  void load_weights(const std::string& folder) override { load_values(folder + "/model.safetensors", parameters); }

  static std::string name(int i) { return "layers." + std::to_string(i) + ".matrix"; }

  Parallel parallel{1};
  nn::ParameterStore parameters;
  int64_t micro_batches = 8;
  int64_t stop_at = -1, crash_at = -1, save_at = -1, nan_at = -1;
  StopFlag* stop = nullptr;
};

constexpr int64_t kSteps = 8;

FitOptions options_for(const std::string& optimizer) {
  FitOptions options;
  options.steps = kSteps;
  options.optimizer = optimizer;
  options.learning_rate = 0.05;
  options.warmup_steps = 2;
  options.clip_norm = 1;
  options.grad_groups = 4;
  options.validate_every = 3;
  options.sample_every = 4;
  options.checkpoint_every = 3;
  options.identity = {{"seed", "7"}};
  return options;
}

struct Trouble {
  int64_t stop_at = -1, crash_at = -1;
  int rank = 0;
  int64_t save_at = -1;
  int64_t nan_at = -1;  // the data step whose last micro-batch gives a NaN, whoever has it
};

void run(int size, const std::string& folder, RunMode mode, const FitOptions& options, const Trouble& trouble = {}) {
  log::set_level(log::Level::error);
  LocalRanks::run(size, [&](Communicator& ranks) {
    Targets targets;
    StopFlag stop;
    NoProgress progress;
    targets.stop = &stop;
    if (ranks.rank() == trouble.rank) {
      targets.stop_at = trouble.stop_at;
      targets.crash_at = trouble.crash_at;
      targets.save_at = trouble.save_at;
    }
    targets.nan_at = trouble.nan_at;
    Context context{targets.parallel, stop, progress, 0, 0, false, ranks};
    RunFolder run_folder(ranks.leader() ? folder : "/nonexistent/never touched",
                         ranks.leader() ? mode : RunMode::follow);
    fit(targets, targets.parameters, options, run_folder, context);
  });
}

void check_same(const std::string& one, const std::string& other) {
  for (const char* file : {"metrics.jsonl", "samples.txt", "checkpoints/step-000008/model.safetensors",
                           "checkpoints/step-000008/optimizer.safetensors", "checkpoints/step-000008/state.json",
                           "checkpoints/step-000008/manifest.json"})
    CHECK_MESSAGE(io::read_file(one + "/" + file) == io::read_file(other + "/" + file), file);
}

}  // namespace

TEST_CASE("two and four ranks leave the bytes of one process, with every optimiser") {
  for (auto& entry : optim::optimizers().entries()) {
    std::string name(entry.name);
    CAPTURE(name);
    TemporaryFolder folder;
    FitOptions options = options_for(name);
    options.ema = name == "sgd" ? 0 : 0.9;
    run(1, folder.path + "/1", RunMode::fresh, options);
    for (int size : {2, 4}) {
      CAPTURE(size);
      run(size, folder.path + "/" + std::to_string(size), RunMode::fresh, options);
      check_same(folder.path + "/1", folder.path + "/" + std::to_string(size));
      if (options.ema > 0)
        CHECK(io::read_file(folder.path + "/1/model-ema/model.safetensors") ==
              io::read_file(folder.path + "/" + std::to_string(size) + "/model-ema/model.safetensors"));
    }
  }
}

TEST_CASE("a run goes on with another number of ranks after any of them was stopped or lost") {
  TemporaryFolder folder;
  FitOptions options = options_for("adamw");
  run(1, folder.path + "/whole", RunMode::fresh, options);
  int number = 0;
  for (int rank : {0, 1})
    for (bool crash : {false, true}) {
      std::string path = folder.path + "/" + std::to_string(number++);
      Trouble trouble{crash ? -1 : 4, crash ? 4 : -1, rank};
      if (crash)
        CHECK_THROWS_AS(run(2, path, RunMode::fresh, options, trouble), Error);
      else
        run(2, path, RunMode::fresh, options, trouble);
      CHECK_FALSE(fs::exists(path + "/checkpoints/step-000008"));
      run(4, path, RunMode::resume, options, {6, -1, 3});
      run(1, path, RunMode::resume, options);
      check_same(folder.path + "/whole", path);
    }
}

TEST_CASE("several ranks go back from the same step to the same place as one") {
  for (const char* name : {"adamw", "muon"}) {
    CAPTURE(name);
    TemporaryFolder folder;
    FitOptions options = options_for(name);
    options.ema = 0.9;
    options.anomaly.policy = AnomalyPolicy::rewind;
    Trouble bad{-1, -1, 0, -1, 4};
    run(1, folder.path + "/1", RunMode::fresh, options, bad);
    CHECK(io::read_file(folder.path + "/1/metrics.jsonl").find("rewind") != std::string::npos);
    for (int size : {2, 4}) {
      CAPTURE(size);
      std::string path = folder.path + "/" + std::to_string(size);
      run(size, path, RunMode::fresh, options, bad);
      check_same(folder.path + "/1", path);
      std::string lost = path + "-lost";  // behind the rewind, on the data that followed
      CHECK_THROWS_AS(run(size, lost, RunMode::fresh, options, {-1, 8, size - 1, -1, 4}), Error);
      run(6 - size, lost, RunMode::resume, options, bad);
      check_same(folder.path + "/1", lost);
    }
  }
}

TEST_CASE("a checkpoint that any rank is asked for is saved by all, and statistics see the whole sum") {
  TemporaryFolder folder;
  FitOptions options = options_for("adamw");
  options.statistics_every = 2;
  options.checkpoint_every = 0;
  run(1, folder.path + "/1", RunMode::fresh, options);
  CHECK_THROWS_AS(run(4, folder.path + "/4", RunMode::fresh, options, {-1, 6, 3, 4}), Error);
  CHECK(fs::exists(folder.path + "/4/checkpoints/step-000005"));
  run(2, folder.path + "/4", RunMode::resume, options);
  check_same(folder.path + "/1", folder.path + "/4");
}

TEST_CASE("a rank has the memory of its share of the state") {
  constexpr int kRanks = 4;
  LocalRanks::run(kRanks, [](Communicator& ranks) {
    nn::ParameterStore parameters;
    for (int i = 0; i < 8; ++i) parameters.add({Targets::name(i), Shape{1024, 1024}, nn::Init::zeros, 0, true});
    parameters.allocate();
    for (const char* name : {"adamw", "muon"}) {
      auto optimizer = optim::optimizers().make(name);
      DataParallel data(ranks, parameters, kRanks, *optimizer);
      data.attach(*optimizer, 0);
      auto state = optimizer->state<float>(0);
      long page = sysconf(_SC_PAGESIZE);
      size_t bytes = state.size_bytes(), pages = bytes / static_cast<size_t>(page);
      std::vector<unsigned char> resident(pages);
      auto touched = [&] {
        if (mincore(state.data(), pages * static_cast<size_t>(page), resident.data()) != 0)
          throw std::runtime_error("mincore");
        size_t n = 0;
        for (unsigned char r : resident) n += r & 1;
        return n * static_cast<size_t>(page);
      };
      if (touched() > bytes / kRanks + (size_t{2} << 20)) throw std::runtime_error("more state than its share");
      std::fill(state.begin(), state.end(), 1.0f);
      optimizer->forget_others();
      if (touched() > bytes / kRanks + (size_t{2} << 20)) throw std::runtime_error("others' state was kept");
    }
  });
}

TEST_CASE("ranks that run different things say what differs") {
  LocalRanks::run(4, [](Communicator& ranks) {
    nn::ParameterStore parameters;
    parameters.add({"p", Shape{4}, nn::Init::zeros, 0, false});
    parameters.allocate();
    DataParallel data(ranks, parameters, 4, *optim::optimizers().make("sgd"));
    Settings settings{{"seed", "7"}, {"data", ranks.rank() == 2 ? "aaaa" : "bbbb"}};
    std::string message;
    try {
      data.expect_same_everywhere(settings);
    } catch (const UsageError& error) {
      message = error.what();
    }
    for (const char* part : {"rank 2", "data", "aaaa", "bbbb"})
      if (message.find(part) == std::string::npos)
        throw std::runtime_error("not told: " + std::string(part) + " in: " + message);
    settings[1].second = "bbbb";
    data.expect_same_everywhere(settings);
  });
}

TEST_CASE("processes divide the gradient groups") {
  for (auto [ranks, groups] : {std::pair{1, 1}, {2, 2}, {4, 8}}) CHECK_NOTHROW(check_ranks(ranks, groups));
  for (auto [ranks, groups] : {std::pair{2, 1}, {3, 4}, {8, 4}})
    CHECK_THROWS_AS(check_ranks(ranks, groups), UsageError);
}
