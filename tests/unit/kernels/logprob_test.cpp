#include "kernels/logprob.h"

#include <doctest/doctest.h>

#include <cstring>

#include "helpers.h"

using namespace llmkit;
using namespace llmkit::kernels;
using namespace llmkit::kernels::test;

namespace {

template <class T>
struct Problem {
  Problem(int64_t tokens, int64_t vocabulary, int64_t dim, uint64_t seed) : m(tokens), v(vocabulary), d(dim) {
    auto convert = [](const std::vector<float>& x) { return std::vector<T>(x.begin(), x.end()); };
    hidden = convert(random_floats(m * d, seed));
    weight = convert(random_floats(v * d, seed + 1, 0.3));
    dlogprob = convert(random_floats(m, seed + 2));
    dlse = convert(random_floats(m, seed + 3));
    Rng rng{seed};
    for (int64_t i = 0; i < m; ++i)
      targets.push_back(i % 5 == 3 ? -1 : static_cast<int32_t>(rng.below(static_cast<uint64_t>(v))));
    logprob.assign(static_cast<size_t>(m), 7);
    lse.assign(static_cast<size_t>(m), 7);
    dhidden.assign(hidden.size(), 0);
    dweight.assign(weight.size(), 0);
  }
  LogprobArgs<T> args(Precision precision = Precision::f32) const {
    return {Matrix<const T>(hidden.data(), m, d), Matrix<const T>(weight.data(), v, d), targets.data(), precision};
  }
  LogprobGradient<T> gradient() {
    return {dlogprob.data(), dlse.data(), Matrix<T>(dhidden.data(), m, d), Matrix<T>(dweight.data(), v, d)};
  }

  int64_t m, v, d;
  std::vector<T> hidden, weight, dlogprob, dlse, logprob, lse, dhidden, dweight;
  std::vector<int32_t> targets;
};

}  // namespace

TEST_CASE("token log-probabilities in double equal the definition, gradients equal central differences") {
  Fixture f;
  Problem<double> p(9, 23, 6, 3);
  logprob_forward<double>(f.ex, p.args(), p.logprob.data(), p.lse.data());
  for (int64_t i = 0; i < p.m; ++i) {
    double total = 0, own = 0;
    for (int64_t v = 0; v < p.v; ++v) {
      double z = 0;
      for (int64_t d = 0; d < p.d; ++d)
        z += p.hidden[static_cast<size_t>(i * p.d + d)] * p.weight[static_cast<size_t>(v * p.d + d)];
      total += std::exp(z);
      if (v == p.targets[static_cast<size_t>(i)]) own = z;
    }
    CHECK(p.lse[static_cast<size_t>(i)] == doctest::Approx(std::log(total)).epsilon(1e-13));
    const double expected = p.targets[static_cast<size_t>(i)] < 0 ? 0 : own - std::log(total);
    CHECK(p.logprob[static_cast<size_t>(i)] == doctest::Approx(expected).epsilon(1e-13));
  }
  logprob_backward<double>(f.ex, p.args(), p.lse.data(), p.gradient());
  auto loss = [&] {
    logprob_forward<double>(f.ex, p.args(), p.logprob.data(), p.lse.data());
    double total = 0;
    for (size_t i = 0; i < p.logprob.size(); ++i) {
      if (p.targets[i] >= 0) total += p.logprob[i] * p.dlogprob[i] + p.lse[i] * p.dlse[i];
    }
    return total;
  };
  for (auto [values, gradient] : {std::pair{&p.hidden, &p.dhidden}, std::pair{&p.weight, &p.dweight}}) {
    for (size_t i = 0; i < values->size(); ++i) {
      const double keep = (*values)[i], h = 1e-5;
      (*values)[i] = keep + h;
      const double above = loss();
      (*values)[i] = keep - h;
      const double below = loss();
      (*values)[i] = keep;
      CHECK((*gradient)[i] == doctest::Approx((above - below) / (2 * h)).epsilon(1e-6).scale(1e-2));
    }
  }
}

TEST_CASE(
    "float log-probabilities stay near double, and forward with backward in one pass gives the same bytes as two") {
  Fixture f;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    CAPTURE(isa_name(isa));
    Problem<double> exact(77, 301, 35, 5);
    logprob_forward_backward<double>(f.ex, exact.args(), exact.logprob.data(), exact.lse.data(), exact.gradient());
    Problem<float> two(77, 301, 35, 5), one = two;
    logprob_forward<float>(f.ex, two.args(), two.logprob.data(), two.lse.data());
    logprob_backward<float>(f.ex, two.args(), two.lse.data(), two.gradient());
    logprob_forward_backward<float>(f.ex, one.args(), one.logprob.data(), one.lse.data(), one.gradient());
    CHECK(distance(one.logprob, exact.logprob) < 2e-6);
    CHECK(distance(one.dhidden, exact.dhidden) < 5e-6);
    CHECK(distance(one.dweight, exact.dweight) < 5e-6);
    CHECK(one.logprob == two.logprob);
    CHECK(one.lse == two.lse);
    CHECK(one.dhidden == two.dhidden);
    CHECK(one.dweight == two.dweight);

    Problem<float> rounded(77, 301, 35, 5);
    logprob_forward_backward<float>(f.ex, rounded.args(Precision::bf16), rounded.logprob.data(), rounded.lse.data(),
                                    rounded.gradient());
    CHECK(distance(rounded.logprob, exact.logprob) < 2e-2);
    CHECK(distance(rounded.dweight, exact.dweight) < 2e-2);
  }
}

TEST_CASE("log-probabilities do not depend on the chunk, nor on the threads") {
  const int64_t tokens = 300, vocabulary = 60001, dim = 16;  // several chunks of tokens
  Problem<float> all(tokens, vocabulary, dim, 8), one = all;
  {
    Fixture f(1);
    logprob_forward<float>(f.ex, one.args(), one.logprob.data(), one.lse.data());
  }
  Fixture f(8);
  f.until_shared([&] { logprob_forward<float>(f.ex, all.args(), all.logprob.data(), all.lse.data()); });
  CHECK(all.logprob == one.logprob);
  CHECK(f.parallel.stats().workers >= 2);
  CHECK(f.parallel.stats().least_tiles >= 3);
  for (int64_t i : {0, 63, 64, 299}) {
    float logprob = 0, lse = 0;
    LogprobArgs<float> args = all.args();
    args.hidden = Matrix<const float>(all.hidden.data() + i * dim, 1, dim);
    args.targets = all.targets.data() + i;
    logprob_forward<float>(f.ex, args, &logprob, &lse);
    CHECK(logprob == all.logprob[static_cast<size_t>(i)]);
    CHECK(lse == all.lse[static_cast<size_t>(i)]);
  }
}

TEST_CASE("log-probabilities of given logits survive infinities and large values") {
  Fixture f;
  std::vector<float> logits = {1e4f, 0, -INFINITY, 5, 5, 5};
  std::vector<int32_t> targets = {0, 2};
  std::vector<float> logprob(2), lse(2);
  logprob_of_logits<float>(f.ex, Matrix<const float>(logits.data(), 2, 3), targets.data(), logprob.data(), lse.data());
  CHECK(logprob[0] == 0);
  CHECK(logprob[1] == doctest::Approx(-std::log(3.0)));
}
