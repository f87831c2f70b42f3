#include "engine/gradient_tree.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/rng.h"
#include "kernels/exec.h"

using namespace llmkit;
using namespace llmkit::engine;

namespace {

// Gradients of random numbers that depend on (step, micro) alone; "untouched" never gets any.
class Noise final : public Objective {
 public:
  Noise() {
    parameters.add({"a", Shape{3, 7}, nn::Init::zeros, 0, false});
    parameters.add({"untouched", Shape{5}, nn::Init::zeros, 0, false});
    parameters.add({"b", Shape{kNumbers}, nn::Init::zeros, 0, false});
    parameters.allocate();
  }
  StepShape begin(int64_t) override { return {}; }
  static float number(int64_t step, int64_t micro, int64_t i) {
    return static_cast<float>(
        Rng{3, static_cast<uint64_t>(step), static_cast<uint64_t>(micro), static_cast<uint64_t>(i)}.normal());
  }
  double accumulate(int64_t step, int64_t micro) override {
    for (const char* name : {"a", "b"}) {
      auto gradient = parameters.gradients<float>(parameters.at(name));
      for (size_t i = 0; i < gradient.size(); ++i) gradient[i] += number(step, micro, static_cast<int64_t>(i));
    }
    return static_cast<double>(number(step, micro, -1));
  }
  void save_weights(const std::string&) override {}
  void load_weights(const std::string&) override {}

  std::vector<float> gradient_of(const char* name) {
    auto g = parameters.gradients<float>(parameters.at(name));
    return {g.begin(), g.end()};
  }

  static constexpr int64_t kNumbers = 1000;
  nn::ParameterStore parameters;
};

struct Sum {
  std::vector<float> gradient;
  double loss = 0;
  bool operator==(const Sum&) const = default;
};

Sum plain(int64_t step, int64_t begin, int64_t end) {
  Sum sum{std::vector<float>(Noise::kNumbers), 0};
  for (int64_t micro = begin; micro < end; ++micro) {
    for (int64_t i = 0; i < Noise::kNumbers; ++i) sum.gradient[static_cast<size_t>(i)] += Noise::number(step, micro, i);
    sum.loss += static_cast<double>(Noise::number(step, micro, -1));
  }
  return sum;
}

Sum added(const Sum& a, const Sum& b) {
  Sum sum = a;
  for (size_t i = 0; i < sum.gradient.size(); ++i) sum.gradient[i] += b.gradient[i];
  sum.loss += b.loss;
  return sum;
}

struct Fixture {
  Parallel parallel{2};
  kernels::Workspace workspace;
  kernels::Exec exec{parallel, workspace};

  Sum tree(const GroupRange& range, int64_t step, int64_t micro_batches) {
    Noise noise;
    GradientTree gradients(noise.parameters, range);
    gradients.accumulate(noise, step + 1, micro_batches, exec);  // what is left of another step does no harm
    double loss = gradients.accumulate(noise, step, micro_batches, exec);
    for (float g : noise.gradient_of("untouched")) CHECK(g == 0);
    return {noise.gradient_of("b"), loss};
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "one group is plain accumulation") {
  CHECK(tree({0, 1, 1}, 4, 11) == plain(4, 0, 11));
}

TEST_CASE_FIXTURE(Fixture, "four groups add as ((g0 + g1) + (g2 + g3))") {
  Sum expected = added(added(plain(4, 0, 2), plain(4, 2, 5)), added(plain(4, 5, 7), plain(4, 7, 10)));
  CHECK(tree({0, 4, 4}, 4, 10) == expected);
  CHECK_FALSE(expected == plain(4, 0, 10));  // the order shows in the bits
}

TEST_CASE_FIXTURE(Fixture, "the halves of the groups add up to the whole, whoever computes them") {
  CHECK(added(tree({0, 4, 8}, 1, 16), tree({4, 4, 8}, 1, 16)) == tree({0, 8, 8}, 1, 16));
  Sum quarters = added(added(tree({0, 2, 8}, 1, 13), tree({2, 2, 8}, 1, 13)),
                       added(tree({4, 2, 8}, 1, 13), tree({6, 2, 8}, 1, 13)));
  CHECK(quarters == tree({0, 8, 8}, 1, 13));
}

TEST_CASE_FIXTURE(Fixture, "a step of fewer micro-batches than groups leaves some without") {
  Sum expected = added(added(plain(2, 0, 0), plain(2, 0, 1)), added(plain(2, 1, 1), plain(2, 1, 2)));
  CHECK(tree({0, 4, 4}, 2, 2) == expected);
}

TEST_CASE("the number of groups is a power of two") {
  CHECK(log2_of(1, "n") == 0);
  CHECK(log2_of(64, "n") == 6);
  for (int64_t n : {-4, 0, 3, 12}) CHECK_THROWS_AS(log2_of(n, "n"), UsageError);
}
