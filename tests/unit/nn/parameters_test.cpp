#include "nn/parameters.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/ops.h"

using namespace llmkit;
using nn::Init;

namespace {

void declare(nn::ParameterStore& store) {
  store.add({"a.weight", {7, 5}, Init::normal, 0.5, true});
  store.add({"a.bias", {7}, Init::zeros, 0, false});
  store.add({"b.weight", {3}, Init::ones, 0, false});
  store.allocate();
}

}  // namespace

TEST_CASE("parameters start at multiples of 64 bytes in one block, in the order they were added") {
  nn::ParameterStore store;
  declare(store);
  CHECK(store.count() == 7 * 5 + 7 + 3);
  CHECK(store.flat_size() == 48 + 16 + 16);
  for (const auto& p : store.list()) CHECK(reinterpret_cast<uintptr_t>(store.values<float>(p).data()) % 64 == 0);
  CHECK(store.at("a.bias").offset == 48);
  CHECK_THROWS_AS(store.at("c"), Error);
  CHECK_THROWS_AS(store.add({"late", {1}, Init::zeros, 0, false}), Error);
}

TEST_CASE("initial values depend on seed and name only, have the wanted spread, and the padding is zero") {
  nn::ParameterStore a, b, c;
  for (auto* store : {&a, &b, &c}) {
    if (store == &b) store->add({"first.weight", {4, 4}, Init::normal, 1.0, true});
    store->add({"big.weight", {300, 200}, Init::normal, 0.02, true});
    store->add({"odd.weight", {3, 3}, Init::normal, 0.02, true});
    store->allocate();
    Parallel parallel(store == &b ? 8 : 1);
    store->initialise(store == &c ? 2 : 1, parallel);
  }
  auto big = [](nn::ParameterStore& s) { return s.values<float>(s.at("big.weight")); };
  CHECK(std::equal(big(a).begin(), big(a).end(), big(b).begin()));
  CHECK(!std::equal(big(a).begin(), big(a).end(), big(c).begin()));
  double sum = 0, squares = 0;
  for (float v : big(a)) sum += v, squares += double{v} * v;
  double n = 60000;
  CHECK(std::fabs(sum / n) < 5 * 0.02 / std::sqrt(n));
  CHECK(std::sqrt(squares / n) == doctest::Approx(0.02).epsilon(0.02));
  const auto& odd = a.at("odd.weight");
  for (int64_t i = odd.offset + 9; i < a.flat_size(); ++i) CHECK(a.values<float>()[static_cast<size_t>(i)] == 0.0f);
}

TEST_CASE("gradients accumulate until cleared, and one that nobody wrote reads as zero") {
  Parallel parallel(1);
  nn::ParameterStore store;
  declare(store);
  store.initialise(1, parallel);
  Tape tape(parallel);
  std::vector<double> weights = {1, 1, 1};
  auto pass = [&] {
    tape.begin();
    tape.backward(ops::weighted_sum(tape, store.tensor(store.find("b.weight")), weights));
  };
  store.clear_gradients();
  pass();
  pass();
  CHECK(store.gradients<float>(store.at("b.weight"))[1] == 2.0f);
  store.gradients<float>(store.at("a.weight"))[0] = 5.0f;
  store.clear_gradients();
  pass();
  CHECK(store.gradients<float>(store.at("b.weight"))[1] == 1.0f);
  CHECK(store.gradients<float>(store.at("a.weight"))[0] == 0.0f);
}

TEST_CASE("packed copies of a weight follow its changes") {
  Parallel parallel(1);
  nn::ParameterStore store;
  store.add({"w.weight", {4, 3}, Init::ones, 0, true});
  store.allocate();
  store.initialise(1, parallel);
  Tape tape(parallel, {.recording = false});
  std::vector<float> x = {1, 2, 3};
  auto first = [&] { return ops::linear(tape, tape.constant({1, 3}, x.data()), store.tensor(0)).data<float>()[0]; };
  CHECK(first() == 6.0f);
  store.values<float>()[0] = 10.0f;
  store.values_changed();
  CHECK(first() == 15.0f);
}
