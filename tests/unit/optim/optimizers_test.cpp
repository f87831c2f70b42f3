#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"
#include "optim/newton_schulz.h"
#include "optim/optimizer.h"

using namespace llmkit;

namespace {

struct Fixture {
  Parallel parallel{2};
  kernels::Workspace workspace;
  kernels::Exec ex{parallel, workspace};
};

std::vector<double> normals(int64_t n, uint64_t key) {
  std::vector<double> out(static_cast<size_t>(n));
  Rng rng{key};
  for (double& v : out) v = rng.normal();
  return out;
}

// Orthonormal columns [n, k], by Gram and Schmidt.
std::vector<double> orthonormal(int64_t n, int64_t k, uint64_t key) {
  std::vector<double> q = normals(n * k, key);
  auto at = [&](int64_t i, int64_t j) -> double& { return q[static_cast<size_t>(i * k + j)]; };
  for (int64_t j = 0; j < k; ++j) {
    for (int again = 0; again < 2; ++again)
      for (int64_t other = 0; other < j; ++other) {
        double dot = 0;
        for (int64_t i = 0; i < n; ++i) dot += at(i, j) * at(i, other);
        for (int64_t i = 0; i < n; ++i) at(i, j) -= dot * at(i, other);
      }
    double norm = 0;
    for (int64_t i = 0; i < n; ++i) norm += at(i, j) * at(i, j);
    for (int64_t i = 0; i < n; ++i) at(i, j) /= std::sqrt(norm);
  }
  return q;
}

// U diag(s) Vᵀ, [r, c].
std::vector<double> composed(const std::vector<double>& u, const std::vector<double>& s, const std::vector<double>& v,
                             int64_t r, int64_t c) {
  auto k = static_cast<int64_t>(s.size());
  std::vector<double> x(static_cast<size_t>(r * c), 0.0);
  for (int64_t i = 0; i < r; ++i)
    for (int64_t j = 0; j < c; ++j)
      for (int64_t l = 0; l < k; ++l)
        x[static_cast<size_t>(i * c + j)] +=
            u[static_cast<size_t>(i * k + l)] * s[static_cast<size_t>(l)] * v[static_cast<size_t>(j * k + l)];
  return x;
}

std::vector<double> after_newton_schulz(std::vector<double> s) {
  double norm = 0;
  for (double v : s) norm += v * v;
  for (double& v : s) {
    v /= std::sqrt(norm) + 1e-7;
    for (int i = 0; i < 5; ++i) v = 3.4445 * v - 4.7750 * v * v * v + 2.0315 * v * v * v * v * v;
  }
  return s;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::fabs(a[i] - b[i]));
  return worst;
}

}  // namespace

TEST_CASE("Newton-Schulz moves singular values by its polynomial and keeps the singular vectors") {
  Fixture f;
  for (auto [r, c] : {std::pair<int64_t, int64_t>{7, 12}, {12, 7}, {9, 9}, {1, 5}, {40, 33}}) {
    CAPTURE(r);
    CAPTURE(c);
    int64_t k = std::min(r, c);
    std::vector<double> u = orthonormal(r, k, 1), v = orthonormal(c, k, 2), s;
    for (int64_t i = 0; i < k; ++i) s.push_back(3.0 / static_cast<double>(i + 1));
    std::vector<double> x = composed(u, s, v, r, c);
    optim::newton_schulz<double>(f.ex, {x.data(), r, c});
    std::vector<double> moved = after_newton_schulz(s);
    CHECK(largest_difference(x, composed(u, moved, v, r, c)) < 1e-12);
    CHECK(moved[0] > 0.6);
    CHECK(moved[0] < 1.3);
  }
}

TEST_CASE("Muon turns each matrix of a stacked parameter by itself, AdamW takes the rest") {
  Fixture f;
  nn::ParameterStore store(DType::f64);
  store.add({"layers.0.qkv.weight", {8, 5}, nn::Init::ones, 0, true, 1, {5, 3}});
  store.add({"embedding.token.weight", {4, 5}, nn::Init::ones, 0, true});
  store.allocate();
  store.initialise(1, f.parallel);
  auto muon = optim::optimizers().make("muon:momentum=0.9,weight-decay=0.1,rate=2"),
       adamw = optim::optimizers().make("adamw");
  muon->attach(store);
  CHECK(muon->state_bytes() == (8 * 5 + 2 * 4 * 5) * sizeof(double));
  std::vector<double> wanted(8 * 5, 1.0), mean(8 * 5, 0.0), embedding(4 * 5, 1.0), m(20, 0.0), v(20, 0.0);
  for (int64_t step = 1; step <= 3; ++step) {
    std::vector<double> g = normals(60, static_cast<uint64_t>(step)), direction(40);
    auto at = [&](const char* name) { return store.gradients<double>(store.at(name)); };
    std::copy_n(g.begin(), 40, at("layers.0.qkv.weight").begin());
    std::copy_n(g.begin() + 40, 20, at("embedding.token.weight").begin());
    muon->step(f.ex, {step, 0.01, 0.5});
    for (size_t i = 0; i < 40; ++i) {
      mean[i] = 0.9 * mean[i] + 0.1 * 0.5 * g[i];
      direction[i] = 0.1 * 0.5 * g[i] + 0.9 * mean[i];
    }
    optim::newton_schulz<double>(f.ex, {direction.data(), 5, 5});
    optim::newton_schulz<double>(f.ex, {direction.data() + 25, 3, 5});
    for (size_t i = 0; i < 40; ++i)
      wanted[i] = wanted[i] * (1 - 0.02 * 0.1) - 0.02 * 0.2 * std::sqrt(5.0) * direction[i];
    for (size_t i = 0; i < 20; ++i) {
      double grad = 0.5 * g[40 + i], t = static_cast<double>(step);
      m[i] = 0.9 * m[i] + 0.1 * grad;
      v[i] = 0.95 * v[i] + 0.05 * grad * grad;
      embedding[i] = embedding[i] * (1 - 0.01 * 0.1) -
                     0.01 * m[i] / (1 - std::pow(0.9, t)) / (std::sqrt(v[i] / (1 - std::pow(0.95, t))) + 1e-8);
    }
  }
  auto values = [&](const char* name) {
    auto span = store.values<double>(store.at(name));
    return std::vector<double>(span.begin(), span.end());
  };
  CHECK(largest_difference(values("layers.0.qkv.weight"), wanted) < 1e-12);
  CHECK(largest_difference(values("embedding.token.weight"), embedding) < 1e-12);
}

TEST_CASE("Lion steps by the sign of its momentum, nothing where that is zero, and decays matrices only") {
  Fixture f;
  nn::ParameterStore store(DType::f64);
  store.add({"w.weight", {1, 3}, nn::Init::ones, 0, true});
  store.add({"b.bias", {1}, nn::Init::ones, 0, false});
  store.allocate();
  store.initialise(1, f.parallel);
  auto lion = optim::optimizers().make("lion:beta1=0.5,beta2=0.75,weight-decay=0.1");
  lion->attach(store);
  auto w = store.values<double>(store.at("w.weight")), b = store.values<double>(store.at("b.bias"));
  auto gradient = store.gradients<double>(store.at("w.weight"));
  gradient[0] = 2, gradient[1] = -4, gradient[2] = 0;
  store.gradients<double>(store.at("b.bias"))[0] = 8;
  lion->step(f.ex, {1, 0.1, 0.5});
  CHECK(w[0] == doctest::Approx(0.99 - 0.1));
  CHECK(w[1] == doctest::Approx(0.99 + 0.1));
  CHECK(w[2] == doctest::Approx(0.99));
  CHECK(b[0] == doctest::Approx(0.9));
  CHECK(lion->state<double>(0)[0] == doctest::Approx(0.25));
  // The momentum 0.25 outweighs a small gradient of the other sign.
  gradient[0] = -0.4;
  lion->step(f.ex, {2, 0.1, 0.5});
  CHECK(w[0] == doctest::Approx(0.89 * 0.99 - 0.1));
}

TEST_CASE("a parameter's rate scale multiplies its learning rate") {
  Fixture f;
  nn::ParameterStore store(DType::f64);
  store.add({"a.weight", {1, 2}, nn::Init::zeros, 0, true});
  store.add({"b.weight", {1, 2}, nn::Init::zeros, 0, true, 0.25});
  store.allocate();
  auto sgd = optim::optimizers().make("sgd");
  sgd->attach(store);
  for (const auto& p : store.list()) store.gradients<double>(p)[1] = 8;
  sgd->step(f.ex, {1, 0.5, 1});
  CHECK(store.values<double>(store.at("a.weight"))[1] == -4);
  CHECK(store.values<double>(store.at("b.weight"))[1] == -1);
}

TEST_CASE("the average of the weights starts at them, follows its definition, and can be looked at and put back") {
  Fixture f;
  nn::ParameterStore store(DType::f64);
  store.add({"a.weight", {1, 2}, nn::Init::ones, 0, true});
  store.allocate();
  store.initialise(1, f.parallel);
  auto sgd = optim::optimizers().make("sgd");
  sgd->attach(store, 0.3);
  REQUIRE(sgd->slots() == std::vector<std::string_view>{"ema"});
  double weight = 1, average = 1;
  for (int64_t step = 1; step <= 5; ++step) {
    store.gradients<double>(store.at("a.weight"))[0] = 1;
    sgd->step(f.ex, {step, 0.5, 1});
    weight -= 0.5;
    double t = static_cast<double>(step), decay = std::min(0.3, (1 + t) / (10 + t));
    average = decay * average + (1 - decay) * weight;
  }
  auto value = [&] { return store.values<double>(store.at("a.weight"))[0]; };
  CHECK(value() == doctest::Approx(weight));
  uint64_t version = store.version();
  sgd->swap_average(f.ex);
  CHECK(value() == doctest::Approx(average));
  CHECK(store.version() > version);
  sgd->swap_average(f.ex);
  CHECK(value() == doctest::Approx(weight));
}
