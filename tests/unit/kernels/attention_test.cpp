#include "kernels/attention.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "helpers.h"
#include "kernels/dropout.h"

using namespace llmkit;
using namespace llmkit::kernels;
using namespace llmkit::kernels::test;

namespace {

struct Case {
  int64_t heads, kv_heads, dim, queries, keys, start;
  bool causal;
  int64_t window;
  double dropout;
  bool documents;
};

const std::vector<Case> kCases = {
    {1, 1, 8, 5, 5, 0, true, 0, 0, false},        {2, 1, 16, 70, 70, 0, true, 0, 0, false},
    {4, 2, 20, 130, 130, 0, true, 0, 0, true},    {2, 2, 33, 65, 129, 64, true, 0, 0, false},
    {3, 1, 64, 1, 200, 199, true, 0, 0, false},   {2, 2, 24, 150, 150, 0, true, 40, 0, false},
    {2, 1, 12, 66, 91, 0, false, 0, 0, false},    {2, 2, 16, 100, 100, 0, true, 0, 0.3, true},
    {1, 1, 8, 3, 150, 147, true, 10, 0.2, false}, {6, 2, 17, 40, 40, 0, false, 12, 0.1, false},
};

// q, k, v side by side in each token's row, as a fused projection leaves them.
template <class T>
struct Problem {
  Problem(const Case& c, uint64_t seed) : c(c) {
    width = (c.heads + 2 * c.kv_heads) * c.dim + 3;
    auto convert = [](const std::vector<float>& x) { return std::vector<T>(x.begin(), x.end()); };
    queries = convert(random_floats(c.queries * width, seed));
    keys = convert(random_floats(c.keys * width, seed + 1));
    out.resize(static_cast<size_t>(c.queries * c.heads * c.dim));
    lse.resize(static_cast<size_t>(c.queries * c.heads));
    dout = convert(random_floats(static_cast<int64_t>(out.size()), seed + 2));
    query_documents.resize(static_cast<size_t>(c.queries));
    key_documents.resize(static_cast<size_t>(c.keys));
    for (int64_t j = 0; j < c.keys; ++j) key_documents[static_cast<size_t>(j)] = static_cast<int32_t>(j / 37);
    for (int64_t i = 0; i < c.queries; ++i)
      query_documents[static_cast<size_t>(i)] = static_cast<int32_t>((c.start + i) / 37);
    dqueries.assign(queries.size(), 0);
    dkeys.assign(keys.size(), 0);
  }

  AttentionShape<T> shape() const {
    AttentionShape<T> s;
    s.heads = c.heads;
    s.kv_heads = c.kv_heads;
    s.head_dim = c.dim;
    s.q_stride = s.k_stride = s.v_stride = width;
    s.out_stride = c.heads * c.dim;
    s.scale = static_cast<T>(1 / std::sqrt(static_cast<double>(c.dim)));
    s.causal = c.causal;
    s.window = c.window;
    s.dropout = static_cast<T>(c.dropout);
    return s;
  }
  AttentionSequence<T> sequence() {
    AttentionSequence<T> s;
    s.q = queries.data();
    s.k = keys.data() + c.heads * c.dim;
    s.v = s.k + c.kv_heads * c.dim;
    s.out = out.data();
    s.lse = lse.data();
    s.query_length = c.queries;
    s.key_length = c.keys;
    s.query_start = c.start;
    s.query_documents = c.documents ? query_documents.data() : nullptr;
    s.key_documents = c.documents ? key_documents.data() : nullptr;
    s.dropout_key = 1234567;
    return s;
  }
  AttentionGradient<T> gradient() {
    return {dout.data(), dqueries.data(), dkeys.data() + c.heads * c.dim,
            dkeys.data() + (c.heads + c.kv_heads) * c.dim};
  }
  void forward(const Exec& ex) {
    auto s = sequence();
    attention_forward<T>(ex, shape(), std::span<const AttentionSequence<T>>(&s, 1));
  }
  void backward(const Exec& ex, bool overwrite = false) {
    auto s = sequence();
    auto g = gradient();
    g.overwrite = overwrite;
    attention_backward<T>(ex, shape(), std::span<const AttentionSequence<T>>(&s, 1),
                          std::span<const AttentionGradient<T>>(&g, 1));
  }

  Case c;
  int64_t width;
  std::vector<T> queries, keys, out, lse, dout, dqueries, dkeys;
  std::vector<int32_t> query_documents, key_documents;
};

bool visible(const Case& c, int64_t i, int64_t j) {
  const int64_t p = c.start + i;
  return (!c.causal || j <= p) && (c.window == 0 || j > p - c.window) && (!c.documents || j / 37 == p / 37);
}

// The definition, with the whole score matrix.
std::vector<double> materialised(Problem<double>& problem) {
  const Case& c = problem.c;
  auto s = problem.sequence();
  std::vector<double> out(problem.out.size(), 0.0);
  for (int64_t h = 0; h < c.heads; ++h) {
    for (int64_t i = 0; i < c.queries; ++i) {
      std::vector<double> p(static_cast<size_t>(c.keys), 0.0);
      double total = 0;
      for (int64_t j = 0; j < c.keys; ++j) {
        if (!visible(c, i, j)) continue;
        double score = 0;
        for (int64_t d = 0; d < c.dim; ++d) {
          score +=
              s.q[i * problem.width + h * c.dim + d] * s.k[j * problem.width + h / (c.heads / c.kv_heads) * c.dim + d];
        }
        p[static_cast<size_t>(j)] = std::exp(score / std::sqrt(static_cast<double>(c.dim)));
        total += p[static_cast<size_t>(j)];
      }
      for (int64_t j = 0; j < c.keys; ++j) {
        const auto row = static_cast<uint64_t>(h) << 32 | static_cast<uint64_t>(c.start + i);
        if (c.dropout > 0 && !dropout_keeps(s.dropout_key, static_cast<uint64_t>(j), c.dropout, row)) continue;
        const double weight = p[static_cast<size_t>(j)] / total / (1 - c.dropout);
        for (int64_t d = 0; d < c.dim; ++d) {
          out[static_cast<size_t>((i * c.heads + h) * c.dim + d)] +=
              weight * s.v[j * problem.width + h / (c.heads / c.kv_heads) * c.dim + d];
        }
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("tiled attention in double equals the materialised definition") {
  Fixture f;
  for (const Case& c : kCases) {
    CAPTURE(c.dim);
    CAPTURE(c.queries);
    Problem<double> problem(c, 3);
    problem.forward(f.ex);
    CHECK(distance(problem.out, materialised(problem)) < 1e-13);
  }
}

TEST_CASE("attention gradients in double equal central differences") {
  Fixture f;
  for (const Case& c : kCases) {
    if (c.queries > 130) continue;
    CAPTURE(c.dim);
    CAPTURE(c.queries);
    Problem<double> problem(c, 5);
    problem.forward(f.ex);
    problem.backward(f.ex);
    auto loss = [&] {
      problem.forward(f.ex);
      double total = 0;
      for (size_t i = 0; i < problem.out.size(); ++i) total += problem.out[i] * problem.dout[i];
      return total;
    };
    Rng rng{11};
    for (int sample = 0; sample < 12; ++sample) {
      const bool query = sample % 2 == 0;
      auto& values = query ? problem.queries : problem.keys;
      const auto& gradient = query ? problem.dqueries : problem.dkeys;
      const size_t i = rng.below(values.size());
      const double keep = values[i], h = 1e-5;
      values[i] = keep + h;
      const double above = loss();
      values[i] = keep - h;
      const double below = loss();
      values[i] = keep;
      CHECK(gradient[i] == doctest::Approx((above - below) / (2 * h)).epsilon(1e-6).scale(1e-2));
    }
  }
}

TEST_CASE("float attention on every instruction set stays near double, forward and backward") {
  Fixture f;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (const Case& c : kCases) {
      CAPTURE(isa_name(isa));
      CAPTURE(c.dim);
      CAPTURE(c.queries);
      Problem<double> exact(c, 7);
      exact.forward(f.ex);
      exact.backward(f.ex);
      Problem<float> problem(c, 7);
      problem.forward(f.ex);
      problem.backward(f.ex);
      CHECK(distance(problem.out, exact.out) < 2e-6);
      CHECK(distance(problem.lse, exact.lse) < 2e-6);
      CHECK(distance(problem.dqueries, exact.dqueries) < 1e-5);
      CHECK(distance(problem.dkeys, exact.dkeys) < 1e-5);
    }
  }
}

TEST_CASE("gradients that overwrite have the bits of those added to zeros, and nothing beside them is touched") {
  Fixture f;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (const Case& c : kCases) {
      CAPTURE(isa_name(isa));
      CAPTURE(c.dim);
      CAPTURE(c.queries);
      Problem<float> added(c, 15), written(c, 15);
      added.forward(f.ex);
      added.backward(f.ex);
      constexpr float kStale = std::numeric_limits<float>::quiet_NaN();
      written.dqueries.assign(written.dqueries.size(), kStale);
      written.dkeys.assign(written.dkeys.size(), kStale);
      written.forward(f.ex);
      written.backward(f.ex, true);
      auto same = [&](const std::vector<float>& got, const std::vector<float>& expected, int64_t first, int64_t last) {
        for (size_t i = 0; i < got.size(); ++i) {
          const int64_t column = static_cast<int64_t>(i) % added.width;
          if (column >= first && column < last ? got[i] != expected[i] : !std::isnan(got[i])) return false;
        }
        return true;
      };
      const int64_t q_width = c.heads * c.dim;
      CHECK(same(written.dqueries, added.dqueries, 0, q_width));
      CHECK(same(written.dkeys, added.dkeys, q_width, q_width + 2 * c.kv_heads * c.dim));
    }
  }
}

TEST_CASE("a query computed alone from a cache equals the full pass, bit for bit") {
  Fixture f;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (int64_t window : {0, 50}) {
      const Case full{4, 2, 24, 170, 170, 0, true, window, 0, false};
      Problem<float> all(full, 9);
      // Queries and keys come from the same rows here.
      all.keys = all.queries;
      all.forward(f.ex);
      for (int64_t count : {1, 3, 5, 17, 70}) {
        for (int64_t begin = 0; begin + count <= full.queries; begin += count) {
          Case part = full;
          part.queries = count;
          part.start = begin;
          part.keys = begin + count;
          Problem<float> some(part, 9);
          some.queries.assign(all.queries.begin() + begin * all.width,
                              all.queries.begin() + (begin + count) * all.width);
          some.keys.assign(all.keys.begin(), all.keys.begin() + part.keys * all.width);
          some.forward(f.ex);
          CHECK(std::memcmp(some.out.data(), all.out.data() + begin * full.heads * full.dim,
                            some.out.size() * sizeof(float)) == 0);
        }
      }
    }
  }
}

TEST_CASE("attention gives the same bytes with one thread and with eight") {
  const Case c{8, 4, 32, 300, 300, 0, true, 0, 0.1, true};
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    Problem<float> one(c, 13);
    {
      Fixture f(1);
      one.forward(f.ex);
      one.backward(f.ex);
    }
    Fixture f(8);
    Problem<float> eight(c, 13);
    f.until_shared([&] {
      eight.dqueries.assign(eight.dqueries.size(), 0);
      eight.dkeys.assign(eight.dkeys.size(), 0);
      eight.forward(f.ex);
      eight.backward(f.ex);
    });
    CHECK(one.out == eight.out);
    CHECK(one.dqueries == eight.dqueries);
    CHECK(one.dkeys == eight.dkeys);
    CHECK(f.parallel.stats().workers >= 2);
    CHECK(f.parallel.stats().least_tiles >= 3);
  }
}
