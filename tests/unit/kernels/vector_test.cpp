// The flat and row-wise kernels: float on every instruction set against double, double against the definition.
#include <doctest/doctest.h>

#include <cstring>

#include "helpers.h"
#include "kernels/activation.h"
#include "kernels/bf16.h"
#include "kernels/dropout.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/norm.h"
#include "kernels/optimizer.h"
#include "kernels/reduce.h"
#include "kernels/rope.h"

using namespace llmkit;
using namespace llmkit::kernels;
using namespace llmkit::kernels::test;

namespace {

const std::vector<Activation> kActivations = {Activation::none,     Activation::relu,   Activation::gelu_tanh,
                                              Activation::gelu_erf, Activation::silu,   Activation::relu_squared,
                                              Activation::tanh,     Activation::sigmoid};

template <class T>
std::vector<T> cast(const std::vector<float>& x) {
  return {x.begin(), x.end()};
}

// One norm problem in T, forward and backward.
template <class T>
struct NormProblem {
  NormProblem(NormKind kind, int64_t rows, int64_t dim, bool residual, bool affine)
      : kind(kind), rows(rows), dim(dim), residual(residual), affine(affine) {
    x = cast<T>(random_floats(rows * dim, 1, 2.0));
    r = cast<T>(random_floats(rows * dim, 2));
    weight = cast<T>(random_floats(dim, 3));
    bias = cast<T>(random_floats(dim, 4));
    dy = cast<T>(random_floats(rows * dim, 5));
    sum = y = dx = std::vector<T>(x.size(), T(0.25));
    mean = rstd = std::vector<T>(static_cast<size_t>(rows));
    dweight = dbias = std::vector<T>(static_cast<size_t>(dim), T(0.5));
  }
  void forward(const Exec& ex) {
    NormArgs<T> a;
    a.kind = kind;
    a.rows = rows;
    a.dim = dim;
    a.x = x.data();
    a.residual = residual ? r.data() : nullptr;
    a.sum = residual ? sum.data() : nullptr;
    a.weight = affine ? weight.data() : nullptr;
    a.bias = affine && kind == NormKind::layer ? bias.data() : nullptr;
    a.y = y.data();
    a.mean = mean.data();
    a.rstd = rstd.data();
    norm_forward(ex, a);
  }
  void backward(const Exec& ex) {
    NormGradient<T> g;
    g.kind = kind;
    g.rows = rows;
    g.dim = dim;
    g.s = residual ? sum.data() : x.data();
    g.weight = affine ? weight.data() : nullptr;
    g.mean = mean.data();
    g.rstd = rstd.data();
    g.dy = dy.data();
    g.dx = dx.data();
    g.dweight = affine ? dweight.data() : nullptr;
    g.dbias = affine && kind == NormKind::layer ? dbias.data() : nullptr;
    norm_backward(ex, g);
  }
  NormKind kind;
  int64_t rows, dim;
  bool residual, affine;
  std::vector<T> x, r, weight, bias, dy, sum, y, dx, mean, rstd, dweight, dbias;
};

double derivative(Activation kind, double x) {
  Fixture f(1);
  double in[2] = {x + 1e-6, x - 1e-6}, out[2];
  activation_forward<double>(f.ex, kind, out, in, 2);
  return (out[0] - out[1]) / 2e-6;
}

}  // namespace

TEST_CASE("activations in double have known values and the slopes of central differences") {
  Fixture f;
  double x[3] = {1.0, -0.5, 3.0}, y[3];
  activation_forward<double>(f.ex, Activation::gelu_erf, y, x, 3);
  CHECK(y[0] == doctest::Approx(0.8413447460685429).epsilon(1e-14));  // Φ(1)
  activation_forward<double>(f.ex, Activation::gelu_tanh, y, x, 3);
  CHECK(y[0] == doctest::Approx(0.8411919906082768).epsilon(1e-12));  // PyTorch gelu(approximate="tanh")
  activation_forward<double>(f.ex, Activation::silu, y, x, 3);
  CHECK(y[1] == doctest::Approx(-0.1887703343990727).epsilon(1e-14));
  for (Activation kind : kActivations) {
    for (double at : {-2.3, -0.4, 0.7, 2.9}) {
      double dx = 0, dy = 1;
      activation_backward<double>(f.ex, kind, &dx, &dy, &at, 1);
      CHECK(dx == doctest::Approx(derivative(kind, at)).epsilon(1e-7));
    }
  }
}

TEST_CASE("activations and gated units in float stay near double on every instruction set") {
  Fixture f;
  const int64_t n = 5003;
  auto x = random_floats(n, 1, 4.0), up = random_floats(n, 2), dy = random_floats(n, 3);
  x[0] = 200;
  x[1] = -200;
  x[2] = 0;
  auto xd = to_double(x), upd = to_double(up), dyd = to_double(dy);
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (Activation kind : kActivations) {
      CAPTURE(isa_name(isa));
      CAPTURE(static_cast<int>(kind));
      std::vector<float> y(x.size()), dx(x.size(), 1.f), dup(x.size(), 1.f);
      std::vector<double> yd(x.size()), dxd(x.size(), 1.0), dupd(x.size(), 1.0);
      activation_forward<float>(f.ex, kind, y.data(), x.data(), n);
      activation_forward<double>(f.ex, kind, yd.data(), xd.data(), n);
      CHECK(distance(y, yd) < 1e-6);
      activation_backward<float>(f.ex, kind, dx.data(), dy.data(), x.data(), n);
      activation_backward<double>(f.ex, kind, dxd.data(), dyd.data(), xd.data(), n);
      CHECK(distance(dx, dxd) < 3e-6);
      std::vector<float> added(x.size(), 0.f), written = dy;  // in place of dy
      activation_backward<float>(f.ex, kind, added.data(), dy.data(), x.data(), n);
      activation_backward<float>(f.ex, kind, written.data(), written.data(), x.data(), n, false);
      CHECK(written == added);

      const int64_t rows = 7, cols = n / rows;
      Matrix<float> g(x.data(), rows, cols), u(up.data(), rows, cols), d(dy.data(), rows, cols);
      Matrix<double> gd(xd.data(), rows, cols), ud(upd.data(), rows, cols), dd(dyd.data(), rows, cols);
      glu_forward<float>(f.ex, kind, Matrix<float>(y.data(), rows, cols), g, u);
      glu_forward<double>(f.ex, kind, Matrix<double>(yd.data(), rows, cols), gd, ud);
      CHECK(distance(y, yd) < 1e-6);
      glu_backward<float>(f.ex, kind, Matrix<float>(dx.data(), rows, cols), Matrix<float>(dup.data(), rows, cols), d, g,
                          u);
      glu_backward<double>(f.ex, kind, Matrix<double>(dxd.data(), rows, cols), Matrix<double>(dupd.data(), rows, cols),
                           dd, gd, ud);
      CHECK(distance(dx, dxd) < 5e-6);
      CHECK(distance(dup, dupd) < 5e-6);
    }
  }
}

TEST_CASE("norms in double equal the definition and central differences") {
  Fixture f;
  for (NormKind kind : {NormKind::layer, NormKind::rms}) {
    for (bool residual : {false, true}) {
      NormProblem<double> p(kind, 3, 11, residual, true);
      p.forward(f.ex);
      for (int64_t i = 0; i < 3; ++i) {
        double mean = 0, squares = 0;
        auto s = [&](int64_t j) {
          return p.x[static_cast<size_t>(i * 11 + j)] + (residual ? p.r[static_cast<size_t>(i * 11 + j)] : 0);
        };
        for (int64_t j = 0; j < 11; ++j) mean += kind == NormKind::layer ? s(j) / 11 : 0;
        for (int64_t j = 0; j < 11; ++j) squares += (s(j) - mean) * (s(j) - mean) / 11;
        for (int64_t j = 0; j < 11; ++j) {
          const double y = (s(j) - mean) / std::sqrt(squares + 1e-5) * p.weight[static_cast<size_t>(j)] +
                           (kind == NormKind::layer ? p.bias[static_cast<size_t>(j)] : 0);
          CHECK(p.y[static_cast<size_t>(i * 11 + j)] == doctest::Approx(y).epsilon(1e-12));
        }
      }
      p.backward(f.ex);
      auto loss = [&] {
        p.forward(f.ex);
        double total = 0;
        for (size_t i = 0; i < p.y.size(); ++i) total += p.y[i] * p.dy[i];
        return total;
      };
      auto check = [&](std::vector<double>& values, const std::vector<double>& gradient, double start) {
        for (size_t i = 0; i < values.size(); ++i) {
          const double keep = values[i], h = 1e-5;
          values[i] = keep + h;
          const double above = loss();
          values[i] = keep - h;
          const double below = loss();
          values[i] = keep;
          CHECK(gradient[i] - start == doctest::Approx((above - below) / (2 * h)).epsilon(1e-6).scale(1e-2));
        }
      };
      check(p.x, p.dx, 0.25);
      check(p.weight, p.dweight, 0.5);
      if (kind == NormKind::layer) check(p.bias, p.dbias, 0.5);
    }
  }
}

TEST_CASE("norms in float stay near double on every instruction set, and do not depend on the threads") {
  Fixture f;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (NormKind kind : {NormKind::layer, NormKind::rms}) {
      for (int64_t dim : {1, 7, 16, 65, 768}) {
        for (bool affine : {false, true}) {
          CAPTURE(isa_name(isa));
          CAPTURE(dim);
          NormProblem<double> exact(kind, 67, dim, true, affine);
          exact.forward(f.ex);
          exact.backward(f.ex);
          NormProblem<float> p(kind, 67, dim, true, affine), one(kind, 67, dim, true, affine);
          p.forward(f.ex);
          p.backward(f.ex);
          CHECK(distance(p.y, exact.y) < 5e-6);
          if (dim > 1) CHECK(distance(p.dx, exact.dx) < 5e-5);
          CHECK(distance(p.dweight, exact.dweight) < 2e-5);
          CHECK(distance(p.dbias, exact.dbias) < 2e-5);
          Fixture eight(8);
          one.forward(eight.ex);
          one.backward(eight.ex);
          CHECK(one.y == p.y);
          CHECK(one.dx == p.dx);
          CHECK(one.dweight == p.dweight);
        }
      }
    }
  }
}

TEST_CASE("rotary embedding turns pairs by their angle, back and forth") {
  Fixture f;
  const int64_t tokens = 9, heads = 3;
  for (int64_t dim : {8, 24, 64}) {
    for (RopeLayout layout : {RopeLayout::rotate_half, RopeLayout::interleaved}) {
      const int64_t rotary = dim - 4, half = rotary / 2, positions = 40;
      std::vector<double> frequency(static_cast<size_t>(half));
      for (int64_t j = 0; j < half; ++j)
        frequency[static_cast<size_t>(j)] =
            std::pow(10000.0, -2.0 * static_cast<double>(j) / static_cast<double>(rotary));
      std::vector<float> cos(static_cast<size_t>(positions * half)), sin(cos.size());
      rope_table(cos.data(), sin.data(), frequency.data(), positions, rotary);
      std::vector<int32_t> at;
      for (int32_t i = 0; i < tokens; ++i) at.push_back((i * 7 + 3) % 40);
      const auto x = random_floats(tokens * heads * dim, 5);
      for (Isa isa : isas()) {
        IsaScope scope(isa);
        std::vector<float> y(x.size()), back(x.size(), 1.f);
        RopeArgs<float> args{layout, heads, dim, rotary, at.data(), cos.data(), sin.data(), false};
        rope<float>(f.ex, args, Matrix<float>(y.data(), tokens, heads * dim),
                    Matrix<const float>(x.data(), tokens, heads * dim));
        std::vector<double> expected(x.begin(), x.end());
        for (int64_t t = 0; t < tokens; ++t) {
          for (int64_t h = 0; h < heads; ++h) {
            for (int64_t j = 0; j < half; ++j) {
              const int64_t base = (t * heads + h) * dim;
              const auto first = static_cast<size_t>(base + (layout == RopeLayout::rotate_half ? j : 2 * j));
              const auto second =
                  static_cast<size_t>(base + (layout == RopeLayout::rotate_half ? j + half : 2 * j + 1));
              const double angle = at[static_cast<size_t>(t)] * frequency[static_cast<size_t>(j)];
              const double a = x[first], b = x[second];
              expected[first] = a * std::cos(angle) - b * std::sin(angle);
              expected[second] = b * std::cos(angle) + a * std::sin(angle);
            }
          }
        }
        CHECK(distance(y, expected) < 1e-6);
        args.inverse = true;
        rope<float>(f.ex, args, Matrix<float>(back.data(), tokens, heads * dim),
                    Matrix<const float>(y.data(), tokens, heads * dim), true);
        std::vector<double> start(x.begin(), x.end());
        for (double& value : start) value += 1;
        CHECK(distance(back, start) < 1e-6);
      }
    }
  }
}

TEST_CASE("embedding gathers rows, its backward scatters them in token order") {
  const int64_t rows = 600, dim = 37, tokens = 4000;
  std::vector<int32_t> ids;
  Rng rng{5};
  for (int64_t i = 0; i < tokens; ++i) ids.push_back(static_cast<int32_t>(rng.below(i % 3 == 0 ? 4 : rows)));
  const auto table = random_floats(rows * dim, 1), dy = random_floats(tokens * dim, 2);
  std::vector<double> expected(table.size(), 1.0);
  for (int64_t i = 0; i < tokens; ++i) {
    for (int64_t d = 0; d < dim; ++d)
      expected[static_cast<size_t>(ids[static_cast<size_t>(i)] * dim + d)] += dy[static_cast<size_t>(i * dim + d)];
  }
  std::vector<float> first;
  for (int threads : {1, 8}) {
    Fixture f(threads);
    std::vector<float> y(static_cast<size_t>(tokens * dim)), gradient(table.size(), 1.f);
    embedding_forward<float>(f.ex, Matrix<float>(y.data(), tokens, dim), Matrix<const float>(table.data(), rows, dim),
                             ids.data());
    CHECK(std::memcmp(y.data() + 99 * dim, table.data() + ids[99] * dim, dim * sizeof(float)) == 0);
    embedding_backward<float>(f.ex, Matrix<float>(gradient.data(), rows, dim),
                              Matrix<const float>(dy.data(), tokens, dim), ids.data());
    CHECK(distance(gradient, expected) < 1e-5);
    if (first.empty()) first = gradient;
    CHECK(first == gradient);
  }
}

TEST_CASE("AdamW follows its definition on every instruction set and writes the rounded copy") {
  Fixture f;
  const int64_t n = 1003;
  const auto p0 = random_floats(n, 1), g = random_floats(n, 2);
  AdamwOptions o;
  o.learning_rate = 0.01;
  o.beta2 = 0.95;
  o.weight_decay = 0.1;
  o.grad_scale = 0.5;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    std::vector<float> p = p0, m(p.size(), 0.f), v(p.size(), 0.f);
    std::vector<Bf16> copy(p.size());
    std::vector<double> pd = to_double(p0), md(p.size(), 0.0), vd(p.size(), 0.0);
    for (int64_t step = 1; step <= 3; ++step) {
      o.step = step;
      adamw_step<float>(f.ex, p.data(), g.data(), m.data(), v.data(), n, o, copy.data());
      for (size_t i = 0; i < p.size(); ++i) {
        const double grad = 0.5 * g[i];
        md[i] = 0.9 * md[i] + 0.1 * grad;
        vd[i] = 0.95 * vd[i] + 0.05 * grad * grad;
        const double t = static_cast<double>(step);
        pd[i] -= 0.01 * 0.1 * pd[i];
        pd[i] -= 0.01 * (md[i] / (1 - std::pow(0.9, t))) / (std::sqrt(vd[i] / (1 - std::pow(0.95, t))) + 1e-8);
      }
    }
    CHECK(distance(p, pd) < 1e-6);
    CHECK(distance(v, vd) < 1e-6);
    for (size_t i = 0; i < p.size(); ++i) CHECK_MESSAGE(copy[i].bits == to_bf16(p[i]).bits, i);
  }
}

TEST_CASE("SGD and Lion follow their definitions on every instruction set") {
  Fixture f;
  const int64_t n = 1003;
  const auto p0 = random_floats(n, 1), g = random_floats(n, 2), b0 = random_floats(n, 3);
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (bool nesterov : {false, true}) {
      std::vector<float> p = p0, b = b0;
      std::vector<double> pd = to_double(p0), bd = to_double(b0);
      sgd_step<float>(f.ex, p.data(), g.data(), b.data(), n, {0.1, 0.9, 0.01, 2.0, nesterov});
      for (size_t i = 0; i < p.size(); ++i) {
        const double d = 2.0 * g[i] + 0.01 * pd[i];
        bd[i] = 0.9 * bd[i] + d;
        pd[i] -= 0.1 * (nesterov ? d + 0.9 * bd[i] : bd[i]);
      }
      CHECK(distance(p, pd) < 1e-6);
      CHECK(distance(b, bd) < 1e-6);
    }
    std::vector<float> p = p0, m = b0;
    std::vector<double> pd = to_double(p0), md = to_double(b0);
    lion_step<float>(f.ex, p.data(), g.data(), m.data(), n, {0.01, 0.9, 0.99, 0.5, 2.0});
    for (size_t i = 0; i < p.size(); ++i) {
      const double direction = 0.9 * md[i] + 0.1 * 2.0 * g[i];
      md[i] = 0.99 * md[i] + 0.01 * 2.0 * g[i];
      pd[i] = pd[i] * (1 - 0.01 * 0.5) - 0.01 * (direction > 0 ? 1 : -1);
    }
    CHECK(distance(p, pd) < 1e-6);
    CHECK(distance(m, md) < 1e-6);
  }
}

TEST_CASE("dropout keeps the announced share, scales it, and draws the same mask everywhere") {
  const int64_t n = 100003;
  const auto x = random_floats(2 * n, 1);
  const uint64_t keys[2] = {17, 18};
  std::vector<float> first;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (int threads : {1, 8}) {
      Fixture f(threads);
      std::vector<float> y(x.size());
      dropout<float>(f.ex, y.data(), x.data(), 2, n, keys, 0.2);
      if (first.empty()) first = y;
      CHECK(first == y);
    }
  }
  int64_t kept = 0;
  for (int64_t i = 0; i < n; ++i) {
    const bool keep = dropout_keeps(17, static_cast<uint64_t>(i), 0.2);
    kept += keep;
    if (i % 97 == 0) CHECK(first[static_cast<size_t>(i)] == (keep ? x[static_cast<size_t>(i)] * 1.25f : 0.f));
  }
  CHECK(static_cast<double>(kept) / static_cast<double>(n) == doctest::Approx(0.8).epsilon(0.01));
}

TEST_CASE("flat arithmetic, sums and softmax agree with double on every instruction set") {
  Fixture f;
  const int64_t n = 200003;
  const auto a = random_floats(n, 1), b = random_floats(n, 2);
  double total = 0, squares = 0, product = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    total += a[i];
    squares += static_cast<double>(a[i]) * a[i];
    product += static_cast<double>(a[i]) * b[i];
  }
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    CHECK(sum<float>(f.ex, a.data(), n) == doctest::Approx(total).epsilon(1e-5));
    CHECK(sum_of_squares<float>(f.ex, a.data(), n) == doctest::Approx(squares).epsilon(1e-7));
    CHECK(dot<float>(f.ex, a.data(), b.data(), n) == doctest::Approx(product).epsilon(1e-4));
    Fixture eight(8);
    CHECK(sum<float>(eight.ex, a.data(), n) == sum<float>(f.ex, a.data(), n));
    std::vector<float> y = b;
    axpy<float>(f.ex, y.data(), 2.f, a.data(), n);
    scale<float>(f.ex, y.data(), y.data(), 0.5f, n);
    multiply_add<float>(f.ex, y.data(), a.data(), b.data(), n);
    multiply<float>(f.ex, y.data(), y.data(), a.data(), n);
    add_to<float>(f.ex, y.data(), b.data(), n);
    std::vector<double> expected(a.size());
    for (size_t i = 0; i < a.size(); ++i)
      expected[i] = ((b[i] + 2.0 * a[i]) * 0.5 + static_cast<double>(a[i]) * b[i]) * a[i] + b[i];
    CHECK(distance(y, expected) < 1e-6);

    for (int64_t cols : {1, 5, 16, 333}) {
      const int64_t rows = 37;
      std::vector<float> p(static_cast<size_t>(rows * cols)), dx(p.size(), 0.f);
      std::vector<double> pd(p.size()), dxd(p.size(), 0.0);
      auto xd = to_double(a), dyd = to_double(b);
      softmax_forward<float>(f.ex, Matrix<float>(p.data(), rows, cols), Matrix<const float>(a.data(), rows, cols));
      softmax_forward<double>(f.ex, Matrix<double>(pd.data(), rows, cols), Matrix<const double>(xd.data(), rows, cols));
      CHECK(distance(p, pd) < 1e-6);
      softmax_backward<float>(f.ex, Matrix<float>(dx.data(), rows, cols), Matrix<const float>(b.data(), rows, cols),
                              Matrix<const float>(p.data(), rows, cols));
      softmax_backward<double>(f.ex, Matrix<double>(dxd.data(), rows, cols),
                               Matrix<const double>(dyd.data(), rows, cols),
                               Matrix<const double>(pd.data(), rows, cols));
      CHECK(distance(dx, dxd) < 1e-6);
      std::vector<float> columns(static_cast<size_t>(cols), 1.f);
      column_sum<float>(f.ex, columns.data(), Matrix<const float>(a.data(), rows, cols));
      double first = 1;
      for (int64_t i = 0; i < rows; ++i) first += a[static_cast<size_t>(i * cols)];
      CHECK(columns[0] == doctest::Approx(first).epsilon(1e-5));
    }
  }
  std::vector<float> bad = {1, NAN, INFINITY, -INFINITY, 0};
  CHECK(count_nonfinite<float>(f.ex, bad.data(), 5) == 3);
}

TEST_CASE("16-bit conversions round to nearest even and come back") {
  CHECK(to_bf16(1.0f).bits == 0x3F80);
  CHECK(to_bf16(1.00390625f).bits == 0x3F80);  // halfway: to even
  CHECK(to_bf16(1.01171875f).bits == 0x3F82);
  CHECK(std::isnan(to_float(to_bf16(NAN))));
  CHECK(std::isinf(to_float(to_bf16(3.4e38f))));
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float x = half_to_float(static_cast<uint16_t>(bits));
    if (std::isnan(x)) continue;
    if (float_to_half(x) != bits) FAIL_CHECK(bits);
  }
  CHECK(half_to_float(0x3C00) == 1.0f);
  CHECK(half_to_float(0x0001) == 0x1p-24f);
  CHECK(float_to_half(65520.f) == 0x7C00);
  CHECK(float_to_half(65519.f) == 0x7BFF);
}
