#include "engine/fit.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/error.h"
#include "base/log.h"
#include "base/rng.h"
#include "engine/checkpoint.h"
#include "engine/fit_state.h"
#include "io/files.h"
#include "stage.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::engine;
namespace fs = std::filesystem;

namespace {

// Fits y = 2 a - 3 b + 1 from noisy samples that depend on the step alone. Can misbehave at a given step.
class Line final : public Objective {
 public:
  enum class Trouble { none, stop, save, crash };

  Line() {
    parameters.add({"slope", Shape{2}, nn::Init::zeros, 0, false});
    parameters.add({"offset", Shape{1}, nn::Init::zeros, 0, false});
    parameters.allocate();
    parameters.initialise(1, parallel);
  }

  StepShape begin(int64_t step) override {
    if (step == trouble_step && trouble == Trouble::stop) stop.request();
    if (step == trouble_step && trouble == Trouble::save) stop.request_save();
    if (step == trouble_step && trouble == Trouble::crash) throw Error("power cut");
    return {micro_batches, kRows, kRows};
  }

  double accumulate(int64_t step, int64_t micro) override {
    if (left_out_from >= 0 && step >= left_out_from) step += left_out;
    auto slope = parameters.values<float>(parameters.at("slope"));
    auto offset = parameters.values<float>(parameters.at("offset"));
    auto slope_gradient = parameters.gradients<float>(parameters.at("slope"));
    auto offset_gradient = parameters.gradients<float>(parameters.at("offset"));
    double loss = 0;
    int64_t rows = kRows / micro_batches;
    for (int64_t row = micro * rows; row < (micro + 1) * rows; ++row) {
      Rng rng{7, static_cast<uint64_t>(step), static_cast<uint64_t>(row)};
      double a = rng.normal(), b = rng.normal(), y = 2 * a - 3 * b + 1 + 0.01 * rng.normal();
      double error = slope[0] * a + slope[1] * b + offset[0] - y;
      loss += error * error / kRows;
      slope_gradient[0] += static_cast<float>(2 * error * a / kRows);
      slope_gradient[1] += static_cast<float>(2 * error * b / kRows);
      offset_gradient[0] += static_cast<float>(2 * error / kRows);
    }
    for (auto gradient : {slope_gradient, offset_gradient})
      for (float& g : gradient)
        if (overflow_above > 0 && loss_scale > overflow_above) g = std::numeric_limits<float>::infinity();
    if (micro == micro_batches - 1 && loss_scale != 1)
      for (auto gradient : {slope_gradient, offset_gradient})
        for (float& g : gradient) g *= static_cast<float>(loss_scale);
    if (step == nan_step) slope_gradient[0] = std::numeric_limits<float>::quiet_NaN();
    if (step == spike_step) loss += 1e6;
    return loss;
  }

  void set_loss_scale(double scale) override { loss_scale = scale; }
  std::vector<NamedValue> validate() override {
    return {{"val_distance", std::abs(parameters.values<float>(parameters.at("slope"))[0] - 2.0)}};
  }
  std::string sample(int64_t step) override { return "sample of step " + std::to_string(step); }
  void save_weights(const std::string& folder) override { save_values(folder + "/model.safetensors", parameters); }
  void load_weights(const std::string& folder) override { load_values(folder + "/model.safetensors", parameters); }

  static constexpr int64_t kRows = 24;
  Parallel parallel{2};
  nn::ParameterStore parameters;
  StopFlag stop;
  int64_t micro_batches = 2;
  double loss_scale = 1, overflow_above = 0;
  Trouble trouble = Trouble::none;
  int64_t trouble_step = -1;
  int64_t nan_step = -1, spike_step = -1;
  int64_t left_out_from = -1, left_out = 0;  // data of these steps never existed
};

FitOptions options_for_test() {
  FitOptions options;
  options.steps = 120;
  options.optimizer = "adamw:weight-decay=0";
  options.learning_rate = 0.2;
  options.min_learning_rate = 0.001;
  options.warmup_steps = 5;
  options.clip_norm = 10;
  options.validate_every = 25;
  options.sample_every = 40;
  options.checkpoint_every = 20;
  options.keep_checkpoints = 3;
  options.identity = {{"seed", "7"}, {"batch", "24"}};
  return options;
}

FitResult run(Line& line, const std::string& folder, RunMode mode, const FitOptions& options = options_for_test()) {
  NoProgress progress;
  log::set_level(log::Level::error);
  Context context{line.parallel, line.stop, progress};
  RunFolder run_folder(folder, mode);
  return fit(line, line.parameters, options, run_folder, context);
}

std::string bytes_of(const std::string& path) {
  return io::read_file(path);
}

void check_same_run(const std::string& one, const std::string& other) {
  CHECK(bytes_of(one + "/metrics.jsonl") == bytes_of(other + "/metrics.jsonl"));
  CHECK(bytes_of(one + "/samples.txt") == bytes_of(other + "/samples.txt"));
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"})
    CHECK_MESSAGE(
        bytes_of(one + "/checkpoints/step-000120/" + file) == bytes_of(other + "/checkpoints/step-000120/" + file),
        file);
}

}  // namespace

TEST_CASE("the loop finds the least-squares solution") {
  TemporaryFolder folder;
  Line line;
  FitResult result = run(line, folder.path, RunMode::fresh);
  CHECK(result.step == 120);
  CHECK_FALSE(result.interrupted);
  auto slope = line.parameters.values<float>(line.parameters.at("slope"));
  CHECK(slope[0] == doctest::Approx(2).epsilon(0.01));
  CHECK(slope[1] == doctest::Approx(-3).epsilon(0.01));
  CHECK(line.parameters.values<float>(line.parameters.at("offset"))[0] == doctest::Approx(1).epsilon(0.02));
  REQUIRE(result.validation.size() == 1);
  CHECK(result.validation[0].value < 0.02);
}

TEST_CASE("a run that was stopped or broken off anywhere and resumed writes the same bytes as one that was not") {
  TemporaryFolder folder;
  Line whole;
  run(whole, folder.path + "/whole", RunMode::fresh);
  for (auto trouble : {Line::Trouble::stop, Line::Trouble::crash}) {
    for (int64_t step : {0, 20, 77, 119}) {
      CAPTURE(step);
      std::string path =
          folder.path + "/broken-" + std::to_string(static_cast<int>(trouble)) + "-" + std::to_string(step);
      Line first;
      first.trouble = trouble;
      first.trouble_step = step;
      if (trouble == Line::Trouble::crash) {
        CHECK_THROWS_AS(run(first, path, RunMode::fresh), Error);
      } else {
        FitResult result = run(first, path, RunMode::fresh);
        CHECK(result.interrupted == (step < 119));  // the step in progress is finished
        CHECK(result.step == step + 1);
      }
      Line second;  // knows nothing of the first
      FitResult result = run(second, path, RunMode::resume);
      CHECK(result.step == 120);
      CHECK(result.resumed_from == (trouble == Line::Trouble::stop ? step + 1 : step / 20 * 20));
      check_same_run(folder.path + "/whole", path);
    }
  }
}

TEST_CASE("a damaged newest checkpoint costs one interval and nothing else") {
  TemporaryFolder folder;
  Line whole, first, second;
  run(whole, folder.path + "/whole", RunMode::fresh);
  std::string path = folder.path + "/damaged";
  first.trouble = Line::Trouble::crash;
  first.trouble_step = 70;
  CHECK_THROWS(run(first, path, RunMode::fresh));
  fs::resize_file(path + "/checkpoints/step-000060/optimizer.safetensors", 50);
  FitResult result = run(second, path, RunMode::resume);
  CHECK(result.resumed_from == 40);
  REQUIRE(result.notes.size() == 1);
  CHECK(result.notes[0].find("step 60 is damaged") != std::string::npos);
  check_same_run(folder.path + "/whole", path);
}

TEST_CASE("resuming a finished run changes nothing") {
  TemporaryFolder folder;
  Line first, second;
  run(first, folder.path, RunMode::fresh);
  std::string before = bytes_of(folder.path + "/metrics.jsonl");
  FitResult result = run(second, folder.path, RunMode::resume);
  CHECK(result.step == 120);
  CHECK(result.validation.size() == 1);
  CHECK(bytes_of(folder.path + "/metrics.jsonl") == before);
  CHECK(second.parameters.values<float>()[0] == first.parameters.values<float>()[0]);
}

TEST_CASE("a resumed run must be the same run") {
  TemporaryFolder folder;
  Line first, second;
  run(first, folder.path, RunMode::fresh);
  FitOptions options = options_for_test();
  options.identity[1].second = "48";
  CHECK_THROWS_WITH_AS(run(second, folder.path, RunMode::resume, options),
                       doctest::Contains("cannot resume with another batch: expected 24, found 48"), UsageError);
}

TEST_CASE("a run may be made longer where its learning rates so far stay the same, and is then the longer run") {
  auto with = [](const char* schedule, int64_t steps, int64_t stop_after = 0) {
    FitOptions options = options_for_test();
    options.schedule = schedule;
    options.steps = steps;
    options.stop_after = stop_after;
    options.identity.emplace_back("steps", std::to_string(steps));
    return options;
  };
  TemporaryFolder folder;
  Line whole;
  run(whole, folder.path + "/whole", RunMode::fresh, with("wsd:decay=0.2", 120));
  {
    Line first, second;  // 60 steps decay from step 49 on
    run(first, folder.path + "/longer", RunMode::fresh, with("wsd:decay=0.2", 60, 44));
    FitResult result = run(second, folder.path + "/longer", RunMode::resume, with("wsd:decay=0.2", 120));
    CHECK(result.resumed_from == 44);
    check_same_run(folder.path + "/whole", folder.path + "/longer");
  }
  Line decayed, too_late, shorter;
  run(decayed, folder.path + "/decayed", RunMode::fresh, with("wsd:decay=0.2", 60));
  CHECK_THROWS_WITH_AS(run(too_late, folder.path + "/decayed", RunMode::resume, with("wsd:decay=0.2", 120)),
                       doctest::Contains("step 60: cannot resume with another number of steps: expected 60, found 120"),
                       UsageError);
  CHECK_THROWS_AS(run(shorter, folder.path + "/decayed", RunMode::resume, with("wsd:decay=0.2", 50)), UsageError);
  Line finished, on;
  run(finished, folder.path + "/constant", RunMode::fresh, with("constant", 60));
  CHECK(run(on, folder.path + "/constant", RunMode::resume, with("constant", 120)).step == 120);
}

TEST_CASE("a folder that holds a run is not overwritten unless asked") {
  TemporaryFolder folder;
  Line first, second, third;
  run(first, folder.path, RunMode::fresh);
  CHECK_THROWS_AS(run(second, folder.path, RunMode::fresh), UsageError);
  std::ofstream(folder.path + "/notes.txt") << "mine";
  FitResult result = run(third, folder.path, RunMode::replace);
  CHECK(result.resumed_from == 0);
  CHECK(fs::exists(folder.path + "/notes.txt"));
}

TEST_CASE("two processes cannot write one run") {
  TemporaryFolder folder;
  RunFolder holder(folder.path, RunMode::fresh);
  CHECK_THROWS_WITH_AS(RunFolder(folder.path, RunMode::resume), doctest::Contains("another process"), Error);
}

TEST_CASE("an update from a NaN is left out, and the run reaches its goal all the same") {
  TemporaryFolder folder;
  Line line;
  line.nan_step = 30;
  FitResult result = run(line, folder.path, RunMode::fresh);
  CHECK(result.anomalies == 1);
  CHECK(line.parameters.values<float>(line.parameters.at("slope"))[0] == doctest::Approx(2).epsilon(0.01));
  CHECK(bytes_of(folder.path + "/metrics.jsonl")
            .find(R"({"step": 31, "anomaly": "gradient norm is NaN", "applied": false})") != std::string::npos);
}

TEST_CASE("under `stop` a spike ends the run with the step and the reason, before the update") {
  TemporaryFolder folder;
  Line line;
  line.spike_step = 100;
  FitOptions options = options_for_test();
  options.anomaly.policy = AnomalyPolicy::stop;
  CHECK_THROWS_WITH_AS(run(line, folder.path, RunMode::fresh, options),
                       doctest::Contains("step 101: training stopped: loss"), Error);
  std::vector<std::string> notes;
  CHECK(newest_valid_checkpoint(folder.path + "/checkpoints", notes)->step == 100);
}

namespace {
FitOptions options_with_rewind() {
  FitOptions options = options_for_test();
  options.anomaly.policy = AnomalyPolicy::rewind;
  return options;
}
}  // namespace

TEST_CASE("under `rewind` the run ends with the weights of one that never saw the data around the anomalies") {
  TemporaryFolder folder;
  Line line, reference;
  line.nan_step = 30;
  line.spike_step = 95;
  reference.left_out_from = 28;
  reference.left_out = 5;
  FitResult result = run(line, folder.path + "/line", RunMode::fresh, options_with_rewind());
  CHECK(result.step == 120);
  CHECK(result.rewinds == 2);
  CHECK(result.anomalies == 2);
  FitOptions half = options_for_test();
  half.checkpoint_every = 80;  // step 80 reads data step 85
  run(reference, folder.path + "/reference", RunMode::fresh, half);
  CHECK(bytes_of(folder.path + "/line/checkpoints/step-000080/model.safetensors") ==
        bytes_of(folder.path + "/reference/checkpoints/step-000080/model.safetensors"));
  CHECK(bytes_of(folder.path + "/line/checkpoints/step-000080/optimizer.safetensors") ==
        bytes_of(folder.path + "/reference/checkpoints/step-000080/optimizer.safetensors"));
  std::string metrics = bytes_of(folder.path + "/line/metrics.jsonl");
  CHECK(metrics.find(R"({"step": 20, "rewind": "gradient norm is NaN", "from": 31, "skipped": [29, 33]})") !=
        std::string::npos);
  CHECK(metrics.find(R"({"step": 80, "rewind": "loss 2e+06 is a spike)") !=
        std::string::npos);  // 1e6 for each micro-batch
  CHECK(metrics.find(R"("from": 91, "skipped": [94, 98]})") != std::string::npos);
  int64_t lines = 0, last = 0;
  for (size_t at = 0; (at = metrics.find(R"("loss": )", at)) != std::string::npos; ++at) {
    ++lines;
    size_t start = metrics.rfind("{\"step\": ", at) + 9;
    int64_t step = std::stoll(metrics.substr(start));
    CHECK(step == ++last);  // each step once, in order
  }
  CHECK(lines == 120);
}

TEST_CASE("a run that goes back is exact too: stopped, saved or broken off at any step around the rewind") {
  TemporaryFolder folder;
  Line whole;
  whole.nan_step = 50;
  run(whole, folder.path + "/whole", RunMode::fresh, options_with_rewind());
  for (auto trouble : {Line::Trouble::stop, Line::Trouble::save, Line::Trouble::crash}) {
    for (int64_t step : {0, 39, 45, 47, 53, 60, 118}) {
      CAPTURE(step);
      std::string path =
          folder.path + "/broken-" + std::to_string(static_cast<int>(trouble)) + "-" + std::to_string(step);
      Line first, second;
      first.nan_step = second.nan_step = 50;
      first.trouble = trouble;
      first.trouble_step = step;
      if (trouble == Line::Trouble::crash) {
        CHECK_THROWS_WITH_AS(run(first, path, RunMode::fresh, options_with_rewind()), "power cut", Error);
      } else {
        CHECK(run(first, path, RunMode::fresh, options_with_rewind()).interrupted == (trouble == Line::Trouble::stop));
      }
      FitResult result = run(second, path, RunMode::resume, options_with_rewind());
      CHECK(result.rewinds == 1);
      check_same_run(folder.path + "/whole", path);
    }
  }
}

TEST_CASE("before the first scheduled checkpoint a rewind goes to the start, and rewinds to one place are bounded") {
  TemporaryFolder folder;
  Line line;
  line.nan_step = 3;
  FitOptions options = options_with_rewind();
  options.checkpoint_every = 0;
  CHECK(run(line, folder.path + "/start", RunMode::fresh, options).rewinds == 1);
  CHECK(bytes_of(folder.path + "/start/metrics.jsonl")
            .find(R"({"step": 0, "rewind": "gradient norm is NaN", "from": 4, "skipped": [2, 6]})") == 0);

  Line stubborn;
  stubborn.nan_step = 3;
  options.rewind.around = 0;
  options.rewind.max_to_one = 0;
  CHECK_THROWS_WITH_AS(run(stubborn, folder.path + "/stubborn", RunMode::fresh, options),
                       doctest::Contains("once more after 0 rewinds to step 0"), Error);
}

TEST_CASE("milestones stay, and a checkpoint that was asked for goes when the next one is there") {
  TemporaryFolder folder;
  Line line;
  line.trouble = Line::Trouble::save;
  line.trouble_step = 64;
  FitOptions options = options_for_test();
  options.keep_checkpoints = 1;
  options.milestone_every = 50;
  run(line, folder.path, RunMode::fresh, options);
  std::vector<int64_t> steps;
  for (auto& checkpoint : list_checkpoints(folder.path + "/checkpoints")) steps.push_back(checkpoint.step);
  CHECK(steps == std::vector<int64_t>{50, 100, 120});
}

TEST_CASE("data steps after several rewinds") {
  std::vector<Rewind> rewinds{{10, 0, 8, 12, ""}, {20, 10, 13, 15, ""}, {5, 0, 2, 9, ""}};
  CHECK(next_data_step(0, rewinds) == 0);
  CHECK(next_data_step(2, rewinds) == 16);
  CHECK(next_data_step(13, rewinds) == 16);
  CHECK(next_data_step(16, rewinds) == 16);
  CHECK(next_data_step(7, {}) == 7);
  CHECK(rewinds_to(0, rewinds) == 2);
}

TEST_CASE("an average of the weights is validated beside them, exported, and survives a resume") {
  TemporaryFolder folder;
  FitOptions options = options_for_test();
  options.ema = 0.9;
  Line whole, first, second;
  FitResult result = run(whole, folder.path + "/whole", RunMode::fresh, options);
  REQUIRE(result.validation.size() == 2);
  CHECK(result.validation[1].name == "ema_val_distance");
  CHECK(result.validation[1].value != result.validation[0].value);
  nn::ParameterStore average;
  average.add({"slope", Shape{2}, nn::Init::zeros, 0, false});
  average.add({"offset", Shape{1}, nn::Init::zeros, 0, false});
  average.allocate();
  load_values(folder.path + "/whole/model-ema/model.safetensors", average);
  double distance = std::abs(average.values<float>(average.at("slope"))[0] - 2.0);
  CHECK(distance == doctest::Approx(result.validation[1].value).epsilon(1e-6));

  first.trouble = Line::Trouble::crash;
  first.trouble_step = 77;
  CHECK_THROWS(run(first, folder.path + "/broken", RunMode::fresh, options));
  run(second, folder.path + "/broken", RunMode::resume, options);
  check_same_run(folder.path + "/whole", folder.path + "/broken");
  CHECK(bytes_of(folder.path + "/whole/model-ema/model.safetensors") ==
        bytes_of(folder.path + "/broken/model-ema/model.safetensors"));
}

TEST_CASE("overflowed steps are left out, halve the loss scale, are logged, and are no anomalies; a resume goes on") {
  FitOptions options = options_for_test();
  options.scale_loss = true;
  TemporaryFolder folder;
  Line whole, first, second;
  for (Line* line : {&whole, &first, &second}) line->overflow_above = 9000;
  FitResult result = run(whole, folder.path + "/whole", RunMode::fresh, options);
  CHECK(result.anomalies == 0);
  CHECK(whole.loss_scale == 8192);
  std::string metrics = bytes_of(folder.path + "/whole/metrics.jsonl");
  for (const char* line : {R"({"step": 1, "overflow": true, "loss_scale": 65536, "next_loss_scale": 32768})",
                           R"({"step": 3, "overflow": true, "loss_scale": 16384, "next_loss_scale": 8192})"})
    CHECK_MESSAGE(metrics.find(line) != std::string::npos, line);
  CHECK(metrics.find(R"({"step": 4, "overflow")") == std::string::npos);
  auto slope = whole.parameters.values<float>(whole.parameters.at("slope"));
  CHECK(slope[0] == doctest::Approx(2).epsilon(0.01));

  first.trouble = Line::Trouble::crash;
  first.trouble_step = 30;
  CHECK_THROWS(run(first, folder.path + "/broken", RunMode::fresh, options));
  run(second, folder.path + "/broken", RunMode::resume, options);
  check_same_run(folder.path + "/whole", folder.path + "/broken");
}

TEST_CASE("micro-batches add up to the whole step") {
  TemporaryFolder folder;
  Line one, four;
  one.micro_batches = 1;
  four.micro_batches = 4;
  run(one, folder.path + "/one", RunMode::fresh);
  run(four, folder.path + "/four", RunMode::fresh);
  auto a = one.parameters.values<float>(), b = four.parameters.values<float>();
  for (size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-4));
}
