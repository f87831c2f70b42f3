#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "nn/activation.h"
#include "nn/attention.h"
#include "nn/norm.h"
#include "nn/position.h"

using namespace llmkit;

TEST_CASE("entries are found by name and an unknown one is answered with the nearest") {
  CHECK(nn::norms().make("rms-norm:epsilon=0.001") != nullptr);
  CHECK_THROWS_WITH_AS(nn::norms().find("rms_norm"), doctest::Contains("rms-norm"), UsageError);
  CHECK_THROWS_AS(nn::activations().find("gelo"), UsageError);
  CHECK(nn::positions().names().size() == 3);
  CHECK(nn::attentions().find("softmax").note == "decode: exact");
}

TEST_CASE("activations have their published values") {
  Parallel parallel(1);
  Tape tape(parallel, {.recording = false});
  const std::vector<double> x = {-3, -1, -0.5, 0, 0.5, 1, 3};
  auto check = [&](const char* name, const std::vector<double>& expected) {
    Tensor y = ops::activation(tape, tape.constant({7}, x.data()), nn::activations().make(name)->kernel());
    for (size_t i = 0; i < 7; ++i) CHECK(y.data<double>()[i] == doctest::Approx(expected[i]).epsilon(1e-7));
  };
  check("gelu", {-0.0040496941, -0.15865525, -0.15426877, 0, 0.34573123, 0.84134475, 2.9959503});
  check("gelu_new", {-0.0036373921, -0.15880801, -0.15428599, 0, 0.34571401, 0.84119199, 2.9963626});
  check("silu", {-0.14227762, -0.26894142, -0.18877033, 0, 0.31122967, 0.73105858, 2.8577224});
  check("relu2", {0, 0, 0, 0, 0.25, 1, 9});
}

TEST_CASE("norms have their published values") {
  Parallel parallel(1);
  const std::vector<double> x = {1, 2, 3, 4};
  auto check = [&](const char* spec, const std::vector<double>& expected) {
    nn::ParameterStore store(DType::f64);
    auto norm = nn::norms().make(spec);
    norm->declare(store, "n", 4);
    store.allocate();
    store.initialise(1, parallel);
    Tape tape(parallel);
    Tensor y = norm->forward(tape, store, tape.constant({1, 4}, x.data()));
    for (size_t i = 0; i < 4; ++i) CHECK(y.data<double>()[i] == doctest::Approx(expected[i]).epsilon(1e-7));
  };
  check("layer-norm:epsilon=1e-5", {-1.3416354, -0.44721181, 0.44721181, 1.3416354});
  check("rms-norm:epsilon=1e-6", {0.36514835, 0.73029669, 1.095445, 1.4605934});
}

TEST_CASE("a rotation by p then by q is a rotation by p + q, and keeps the length") {
  Parallel parallel(1);
  nn::ParameterStore store(DType::f64);
  auto rope = nn::positions().make("rope:theta=100");
  rope->declare(store, {200, 8, 8, 0.02});
  Tape tape(parallel, {.recording = false});
  const std::vector<double> x = {1, 2, 3, 4, -1, 0.5, 2, -2};
  const std::vector<int32_t> p = {100}, q = {33}, sum = {133};
  Tensor twice = rope->turn(tape, rope->turn(tape, tape.constant({1, 8}, x.data()), 1, p), 1, q);
  Tensor once = rope->turn(tape, tape.constant({1, 8}, x.data()), 1, sum);
  double before = 0, after = 0;
  for (size_t i = 0; i < 8; ++i) {
    CHECK(twice.data<double>()[i] == doctest::Approx(once.data<double>()[i]).epsilon(1e-12));
    before += x[i] * x[i];
    after += once.data<double>()[i] * once.data<double>()[i];
  }
  CHECK(after == doctest::Approx(before).epsilon(1e-12));
  const std::vector<int32_t> beyond = {200};
  CHECK_THROWS_WITH_AS(rope->turn(tape, once, 1, beyond), doctest::Contains("below 200"), Error);
}
