// A kind of attention that uses every hook at once: q and k turned by their positions, scores with a slope per head and
// a learned vector per distance (Shaw's form), values with another. The oracle is the definition with the whole matrix.
#include <doctest/doctest.h>

#include <cmath>

#include "helpers.h"
#include "kernels/attention.h"

using namespace llmkit;
using namespace llmkit::kernels;
using namespace llmkit::kernels::test;

namespace {

constexpr int64_t kDim = 8, kFar = 5;  // distances 0 … kFar - 1, farther ones count as the last

struct Case {
  int64_t heads, kv_heads, length;
  double dropout;
};

int64_t distance_of(int64_t i, int64_t j) {
  return std::min(kFar - 1, std::abs(i - j));
}

template <class T>
struct Problem {
  explicit Problem(const Case& c) : c(c), width((c.heads + 2 * c.kv_heads) * kDim) {
    auto convert = [](const std::vector<float>& x) { return std::vector<T>(x.begin(), x.end()); };
    qkv = convert(random_floats(c.length * width, 1));
    dout = convert(random_floats(c.length * c.heads * kDim, 2));
    score_table = convert(random_floats(c.heads * kFar * kDim, 3));
    value_table = convert(random_floats(c.heads * kFar * kDim, 4));
    for (auto* g : {&dscore_table, &dvalue_table}) g->assign(score_table.size(), 0);
    out.assign(dout.size(), 0);
    lse.assign(static_cast<size_t>(c.heads * c.length), 0);
    dqkv.assign(qkv.size(), 0);
  }

  static void turn(T* to, const T* from, int64_t position, bool back) {
    for (int64_t d = 0; d < kDim; d += 2) {
      const double angle = (back ? -1.0 : 1.0) * 0.1 * static_cast<double>(position * (d + 1));
      const T cos = static_cast<T>(std::cos(angle)), sin = static_cast<T>(std::sin(angle));
      const T x = from[d], y = from[d + 1];
      to[d] = x * cos - y * sin;
      to[d + 1] = x * sin + y * cos;
    }
  }
  static T slope(int64_t head) { return static_cast<T>(-0.05) * static_cast<T>(head + 1); }

  // ---- the hooks ----
  using Tile = AttentionTile<T>;
  static Problem& of(void* context) { return *static_cast<Problem*>(context); }
  static const T* row(const std::vector<T>& table, int64_t head, int64_t distance) {
    return table.data() + (head * kFar + distance) * kDim;
  }
  static void transform(void*, const Tile& t, T* q, T* k) {
    for (int64_t i = 0; i < t.queries; ++i) turn(q + i * kDim, t.q + i * t.q_stride, t.query_position + i, false);
    for (int64_t j = 0; j < t.keys; ++j) turn(k + j * kDim, t.k + j * t.k_stride, t.key + j, false);
  }
  static void transform_backward(void*, const Tile& t, const T* dq, const T* dk) {
    T back[kDim];
    for (int64_t i = 0; i < t.queries; ++i) {
      turn(back, dq + i * kDim, t.query_position + i, true);
      for (int64_t d = 0; d < kDim; ++d) t.dq[i * t.q_stride + d] += back[d];
    }
    for (int64_t j = 0; j < t.keys; ++j) {
      turn(back, dk + j * kDim, t.key + j, true);
      for (int64_t d = 0; d < kDim; ++d) t.dk[j * t.k_stride + d] += back[d];
    }
  }
  template <class F>
  static void pairs(const Tile& t, F f) {
    for (int64_t j = 0; j < t.keys; ++j)
      for (int64_t i = 0; i < t.queries; ++i) f(i, j, j * kQueryTile + i, distance_of(t.query_position + i, t.key + j));
  }
  static void add_scores(void* context, const Tile& t, T* scores) {
    pairs(t, [&](int64_t i, int64_t j, int64_t at, int64_t distance) {
      const T* r = row(of(context).score_table, t.head, distance);
      T s = slope(t.head) * static_cast<T>(t.query_position + i - t.key - j);
      for (int64_t d = 0; d < kDim; ++d) s += t.q[i * t.q_stride + d] * r[d];
      scores[at] += s;
    });
  }
  static void scores_backward(void* context, const Tile& t, const T* ds) {
    pairs(t, [&](int64_t i, int64_t, int64_t at, int64_t distance) {
      const T* r = row(of(context).score_table, t.head, distance);
      T* dr = of(context).dscore_table.data() + (t.head * kFar + distance) * kDim;
      for (int64_t d = 0; d < kDim; ++d) {
        t.dq[i * t.q_stride + d] += ds[at] * r[d];
        dr[d] += ds[at] * t.q[i * t.q_stride + d];
      }
    });
  }
  static void add_values(void* context, const Tile& t, const T* p, T* out) {
    pairs(t, [&](int64_t i, int64_t, int64_t at, int64_t distance) {
      const T* u = row(of(context).value_table, t.head, distance);
      for (int64_t d = 0; d < kDim; ++d) out[d * kQueryTile + i] += p[at] * u[d];
    });
  }
  static void values_dp(void* context, const Tile& t, const T* dout, T* dp) {
    pairs(t, [&](int64_t i, int64_t, int64_t at, int64_t distance) {
      const T* u = row(of(context).value_table, t.head, distance);
      for (int64_t d = 0; d < kDim; ++d) dp[at] += dout[d * kQueryTile + i] * u[d];
    });
  }
  static void values_backward(void* context, const Tile& t, const T* p, const T* dout) {
    pairs(t, [&](int64_t i, int64_t, int64_t at, int64_t distance) {
      T* du = of(context).dvalue_table.data() + (t.head * kFar + distance) * kDim;
      for (int64_t d = 0; d < kDim; ++d) du[d] += p[at] * dout[d * kQueryTile + i];
    });
  }

  // `begin`: queries from there on, as cached decoding asks for them.
  void run(const Exec& ex, bool backward, int64_t begin = 0) {
    hooks = {this, transform, transform_backward, add_scores, scores_backward, add_values, values_dp, values_backward};
    AttentionShape<T> shape;
    shape.heads = c.heads;
    shape.kv_heads = c.kv_heads;
    shape.head_dim = kDim;
    shape.q_stride = shape.k_stride = shape.v_stride = width;
    shape.out_stride = c.heads * kDim;
    shape.scale = static_cast<T>(0.4);
    shape.dropout = static_cast<T>(c.dropout);
    shape.hooks = &hooks;
    AttentionSequence<T> s;
    s.q = qkv.data() + begin * width;
    s.k = qkv.data() + c.heads * kDim;
    s.v = s.k + c.kv_heads * kDim;
    s.out = out.data() + begin * shape.out_stride;
    s.lse = begin == 0 ? lse.data() : nullptr;
    s.query_length = c.length - begin;
    s.key_length = c.length;
    s.query_start = begin;
    s.dropout_key = 99;
    attention_forward<T>(ex, shape, std::span<const AttentionSequence<T>>(&s, 1));
    if (!backward) return;
    T* dk = dqkv.data() + c.heads * kDim;
    AttentionGradient<T> g{dout.data(), dqkv.data(), dk, dk + c.kv_heads * kDim};
    attention_backward<T>(ex, shape, std::span<const AttentionSequence<T>>(&s, 1),
                          std::span<const AttentionGradient<T>>(&g, 1));
  }
  T loss() const {
    T sum = 0;
    for (size_t i = 0; i < out.size(); ++i) sum += out[i] * dout[i];
    return sum;
  }

  Case c;
  int64_t width;
  std::vector<T> qkv, out, lse, dout, dqkv, score_table, value_table, dscore_table, dvalue_table;
  AttentionHooks<T> hooks;
};

std::vector<double> materialised(const Problem<double>& p) {
  const Case& c = p.c;
  std::vector<double> out(p.out.size(), 0.0);
  for (int64_t h = 0; h < c.heads; ++h) {
    const int64_t kv = h / (c.heads / c.kv_heads);
    for (int64_t i = 0; i < c.length; ++i) {
      double q[kDim], k[kDim], total = 0;
      std::vector<double> e(static_cast<size_t>(i + 1));
      const double* raw = p.qkv.data() + i * p.width + h * kDim;
      Problem<double>::turn(q, raw, i, false);
      for (int64_t j = 0; j <= i; ++j) {
        Problem<double>::turn(k, p.qkv.data() + j * p.width + (c.heads + kv) * kDim, j, false);
        double s = Problem<double>::slope(h) * static_cast<double>(i - j);
        for (int64_t d = 0; d < kDim; ++d)
          s += 0.4 * q[d] * k[d] + raw[d] * Problem<double>::row(p.score_table, h, distance_of(i, j))[d];
        total += e[static_cast<size_t>(j)] = std::exp(s);
      }
      for (int64_t j = 0; j <= i; ++j) {
        const double* v = p.qkv.data() + j * p.width + (c.heads + c.kv_heads + kv) * kDim;
        const double* u = Problem<double>::row(p.value_table, h, distance_of(i, j));
        for (int64_t d = 0; d < kDim; ++d)
          out[static_cast<size_t>((i * c.heads + h) * kDim + d)] += e[static_cast<size_t>(j)] / total * (v[d] + u[d]);
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("hooks turn queries and keys, add to scores and to values as the definition does") {
  Fixture f;
  for (const Case& c : {Case{2, 1, 5, 0}, Case{4, 2, 131, 0}}) {
    Problem<double> p(c);
    p.run(f.ex, false);
    std::vector<double> expected = materialised(p);
    for (size_t i = 0; i < expected.size(); ++i) CHECK(p.out[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  }
}

TEST_CASE("gradients through the hooks equal central differences, with dropout") {
  Fixture f;
  for (const Case& c : {Case{2, 1, 9, 0}, Case{2, 2, 70, 0.2}}) {
    Problem<double> p(c);
    p.run(f.ex, true);
    auto compare = [&](std::vector<double> Problem<double>::*values, const std::vector<double>& gradient, size_t step) {
      for (size_t i = 0; i < gradient.size(); i += step) {
        constexpr double kStep = 1e-5;
        Problem<double> other(c);
        (other.*values)[i] += kStep;
        other.run(f.ex, false);
        const double above = other.loss();
        (other.*values)[i] -= 2 * kStep;
        other.run(f.ex, false);
        CHECK(gradient[i] == doctest::Approx((above - other.loss()) / (2 * kStep)).epsilon(1e-6));
      }
    };
    compare(&Problem<double>::qkv, p.dqkv, 13);
    compare(&Problem<double>::score_table, p.dscore_table, 3);
    compare(&Problem<double>::value_table, p.dvalue_table, 3);
  }
}

TEST_CASE(
    "hooks in float stay near double on every instruction set, and a query alone gives the bits of the full pass") {
  Fixture f;
  const Case c{4, 2, 150, 0.1};
  Problem<double> reference(c);
  reference.run(f.ex, true);
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    CAPTURE(isa_name(isa));
    Problem<float> p(c);
    p.run(f.ex, true);
    CHECK(distance(p.out, reference.out) < 2e-6);
    CHECK(distance(p.dqkv, reference.dqkv) < 1e-5);
    CHECK(distance(p.dscore_table, reference.dscore_table) < 1e-5);
    CHECK(distance(p.dvalue_table, reference.dvalue_table) < 1e-5);
    Problem<float> alone(c);
    alone.run(f.ex, false, c.length - 1);
    const int64_t last = (c.length - 1) * c.heads * kDim;
    CHECK(std::equal(alone.out.begin() + last, alone.out.end(), p.out.begin() + last));
  }
}
