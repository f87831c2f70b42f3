#include "check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"

namespace llmkit::test {

std::vector<double> random_values(int64_t n, uint64_t key, double avoid) {
  Rng rng{key};
  std::vector<double> out(static_cast<size_t>(n));
  for (double& v : out) {
    v = rng.normal();
    if (std::fabs(v) < avoid) v = std::copysign(avoid + std::fabs(v), v);
  }
  return out;
}

double gradient_error(std::span<double> values, std::span<const double> analytic, const std::function<double()>& f,
                      int64_t most) {
  constexpr double h = 1e-3;
  double largest = 0, worst = 0;
  for (double g : analytic) largest = std::max(largest, std::fabs(g));
  auto n = static_cast<int64_t>(values.size());
  int64_t stride = std::max<int64_t>(1, n / most);
  for (int64_t i = 0; i < n; i += stride) {
    double& v = values[static_cast<size_t>(i)];
    double kept = v;
    auto at = [&](double step) {
      v = kept + step;
      return f();
    };
    double numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    v = kept;
    double a = analytic[static_cast<size_t>(i)];
    double scale = std::max({std::fabs(a), std::fabs(numeric), 1e-3 * largest, 1e-9});
    double error = std::fabs(a - numeric) / scale;
    if (!(error <= worst)) worst = error;  // NaN counts
  }
  return worst;
}

void check_case(const GradCase& c) {
  INFO("case: ", c.name);
  Parallel parallel(1);
  Tape tape(parallel, {.seed = 5});
  std::vector<std::vector<double>> values;
  for (size_t i = 0; i < c.inputs.size(); ++i) values.push_back(random_values(c.inputs[i].size(), 100 + i, c.avoid));
  std::vector<double> weights;

  std::vector<Tensor> leaves;
  auto forward = [&]() {
    tape.begin(7);
    leaves.clear();
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      leaves.push_back(tape.leaf(c.inputs[i], DType::f64));
      std::copy(values[i].begin(), values[i].end(), leaves[i].data<double>());
    }
    Tensor y = c.run(tape, leaves);
    if (y.size() == 1) return y;
    if (weights.empty()) weights = random_values(y.size(), 99);
    return ops::weighted_sum(tape, y, weights);
  };
  Tensor loss = forward();
  REQUIRE(loss.needs_grad());
  tape.backward(loss);
  std::vector<std::vector<double>> gradients;
  for (const Tensor& leaf : leaves) {
    const double* g = leaf.grad<double>();
    REQUIRE(g != nullptr);
    gradients.emplace_back(g, g + leaf.size());
  }
  for (size_t i = 0; i < values.size(); ++i) {
    INFO("input ", i);
    CHECK(gradient_error(values[i], gradients[i], [&] { return *forward().data<double>(); }) < kMaxRelativeError);
  }
}

TEST_CASE("the gradient check finds a wrong gradient") {
  std::vector<double> x = {0.3, -0.7};
  auto f = [&] { return x[0] * x[0] * x[0] + std::sin(x[1]); };
  std::vector<double> right = {3 * 0.09, std::cos(-0.7)}, wrong = {3 * 0.09, std::cos(-0.7) + 1e-5};
  CHECK(gradient_error(x, right, f) < 1e-9);
  CHECK(gradient_error(x, wrong, f) > kMaxRelativeError);
}

}  // namespace llmkit::test
