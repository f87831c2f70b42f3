#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

using namespace llmkit;

namespace {

void fill(std::span<float> values, uint64_t key) {
  Rng rng{key};
  for (float& v : values) v = static_cast<float>(rng.normal());
}

// Weights of the store after `steps` steps with gradients that are a function of the step.
std::vector<float> train(const char* spec, int threads, int steps, int64_t width) {
  Parallel parallel(threads);
  kernels::Workspace workspace;
  kernels::Exec ex{parallel, workspace};
  nn::ParameterStore store;
  store.add({"w.weight", {width, 100}, nn::Init::normal, 0.02, true});
  store.add({"w.bias", {100}, nn::Init::zeros, 0, false});
  store.add({"layers.0.w.weight", {300, 100}, nn::Init::normal, 0.02, true, 1, {200, 100}});
  store.allocate();
  store.initialise(1, parallel);
  auto optimizer = optim::optimizers().make(spec);
  optimizer->attach(store);
  for (int step = 1; step <= steps; ++step) {
    for (const auto& p : store.list()) fill(store.gradients<float>(p), static_cast<uint64_t>(step * 10 + p.offset));
    double scale = optim::clip_scale(optim::gradient_norm(ex, store), 1.0);
    optimizer->step(ex, {step, 0.01, scale});
  }
  if (threads > 1) {
    // A worker that came late may have had one tile only; the more it runs, the more each gets.
    for (int i = 0; i < 20000 && (parallel.stats().workers < 2 || parallel.stats().least_tiles < 3); ++i)
      optim::gradient_norm(ex, store);
    CHECK(parallel.stats().workers >= 2);
    CHECK(parallel.stats().least_tiles >= 3);
  }
  return {store.values<float>().begin(), store.values<float>().end()};
}

}  // namespace

TEST_CASE("one thread and eight give the same bytes for every optimiser") {
  for (std::string_view name : optim::optimizers().names()) {
    INFO(name);
    CHECK(train(std::string(name).c_str(), 1, 3, 6000) == train(std::string(name).c_str(), 8, 3, 6000));
  }
}

TEST_CASE("sgd steps against the gradient, with momentum as in torch, and decays matrices only") {
  Parallel parallel(1);
  kernels::Workspace workspace;
  kernels::Exec ex{parallel, workspace};
  nn::ParameterStore store(DType::f64);
  store.add({"w.weight", {1, 1}, nn::Init::ones, 0, true});
  store.add({"b.weight", {1}, nn::Init::ones, 0, false});
  store.allocate();
  store.initialise(1, parallel);
  auto sgd = optim::optimizers().make("sgd:momentum=0.5,weight-decay=0.1");
  sgd->attach(store);
  double w = 1, b = 1, mw = 0, mb = 0;
  for (int step = 1; step <= 3; ++step) {
    store.gradients<double>(store.at("w.weight"))[0] = 2;
    store.gradients<double>(store.at("b.weight"))[0] = 2;
    sgd->step(ex, {step, 0.1, 0.5});
    mw = 0.5 * mw + 1 + 0.1 * w;
    mb = 0.5 * mb + 1;
    w -= 0.1 * mw;
    b -= 0.1 * mb;
    CHECK(store.values<double>(store.at("w.weight"))[0] == doctest::Approx(w).epsilon(1e-14));
    CHECK(store.values<double>(store.at("b.weight"))[0] == doctest::Approx(b).epsilon(1e-14));
  }
}

TEST_CASE("the gradient norm is that of all numbers, and clipping brings it to the limit") {
  Parallel parallel(1);
  kernels::Workspace workspace;
  kernels::Exec ex{parallel, workspace};
  nn::ParameterStore store(DType::f64);
  store.add({"a.weight", {2}, nn::Init::zeros, 0, false});
  store.add({"b.weight", {1}, nn::Init::zeros, 0, false});
  store.allocate();
  store.gradients<double>(store.at("a.weight"))[0] = 2;
  store.gradients<double>(store.at("a.weight"))[1] = 3;
  store.gradients<double>(store.at("b.weight"))[0] = 6;
  CHECK(optim::gradient_norm(ex, store) == doctest::Approx(7.0));
  CHECK(optim::clip_scale(7.0, 3.5) == doctest::Approx(0.5).epsilon(1e-6));
  CHECK(optim::clip_scale(7.0, 10) == 1.0);
  CHECK(optim::clip_scale(7.0, 0) == 1.0);
}

TEST_CASE("schedules warm up linearly, stay in range and end at the floor") {
  optim::ScheduleArgs args{1.0, 0.1, 10, 100};
  for (std::string_view name : optim::schedules().names()) {
    INFO(name);
    auto schedule = optim::schedules().make(name);
    CHECK(schedule->rate(0, args) == doctest::Approx(0.1));
    CHECK(schedule->rate(9, args) == doctest::Approx(1.0));
    CHECK(schedule->rate(10, args) == doctest::Approx(1.0));
    CHECK(schedule->rate(99, args) == doctest::Approx(name == "constant" ? 1.0 : 0.1));
    for (int64_t step = 10; step < 99; ++step) CHECK(schedule->rate(step, args) >= schedule->rate(step + 1, args));
  }
  auto at = [&](const char* spec, int64_t step) {
    return optim::schedules().make(spec)->rate(step, {1.0, 0.0, 0, 101});
  };
  CHECK(at("cosine", 50) == doctest::Approx(0.5));
  CHECK(at("cosine", 25) == doctest::Approx(0.5 * (1 + std::sqrt(0.5))));
  CHECK(at("linear", 25) == doctest::Approx(0.75));
  CHECK(at("wsd:decay=0.5,form=linear", 50) == doctest::Approx(1.0));
  CHECK(at("wsd:decay=0.5,form=linear", 75) == doctest::Approx(0.5));
  CHECK(at("wsd:decay=1,form=sqrt", 25) == doctest::Approx(0.5));
}
