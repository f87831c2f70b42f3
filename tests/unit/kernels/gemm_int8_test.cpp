#include "kernels/gemm_int8.h"

#include <doctest/doctest.h>

#include <array>
#include <cstring>

#include "base/error.h"
#include "helpers.h"

using namespace llmkit;
using namespace llmkit::kernels;
using namespace llmkit::kernels::test;

namespace {

// The definition in double: rows of x and w as integers with one scale each.
struct Quantised {
  Quantised(const float* x, int64_t n) : values(static_cast<size_t>(n)) {
    float most = 0;
    for (int64_t i = 0; i < n; ++i) most = std::max(most, std::abs(x[i]));
    const float s = most / 127.0f;
    scale = s > 0 ? s : 1.0f;
    for (int64_t i = 0; i < n; ++i) {
      values[static_cast<size_t>(i)] = std::nearbyint(x[i] / static_cast<float>(scale));
    }
  }
  std::vector<double> values;
  double scale;
};

std::vector<double> reference(const std::vector<float>& x, const std::vector<float>& w, int64_t m, int64_t n, int64_t k,
                              int64_t stride) {
  std::vector<Quantised> columns;
  for (int64_t j = 0; j < n; ++j) columns.emplace_back(w.data() + j * stride, k);
  std::vector<double> y;
  for (int64_t i = 0; i < m; ++i) {
    const Quantised row(x.data() + i * stride, k);
    for (const Quantised& column : columns) {
      double sum = 0;
      for (size_t p = 0; p < row.values.size(); ++p) sum += row.values[p] * column.values[p];
      y.push_back(sum * row.scale * column.scale);
    }
  }
  return y;
}

}  // namespace

TEST_CASE("int8 products equal the definition, and are the same bits on every instruction set") {
  Fixture f;
  const std::vector<std::array<int64_t, 3>> shapes = {{1, 1, 1},     {1, 50, 7},      {7, 48, 64},   {9, 193, 31},
                                                      {16, 32, 513}, {129, 97, 2051}, {33, 200, 130}};
  for (auto [m, n, k] : shapes) {
    CAPTURE(m);
    CAPTURE(n);
    CAPTURE(k);
    const int64_t stride = k + 3;
    const auto x = random_floats(m * stride, 1), w = random_floats(n * stride, 2);
    const auto expected = reference(x, w, m, n, k, stride);
    std::vector<float> first;
    for (Isa isa : isas()) {
      CAPTURE(isa_name(isa));
      IsaScope scope(isa);
      PackedInt8Weight packed;
      packed.pack_nt(f.ex, Matrix<const float>(w.data(), n, k, stride));
      CHECK(packed.bytes() == PackedInt8Weight::bytes_for(n, k));
      std::vector<float> y(expected.size(), 99.f);
      gemm_int8(f.ex, Matrix<float>(y.data(), m, n), Matrix<const float>(x.data(), m, k, stride), packed);
      CHECK(distance(y, expected) < 1e-6);
      if (first.empty()) first = y;
      CHECK(std::memcmp(first.data(), y.data(), y.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("the largest int8 sums do not overflow, and deeper products are refused") {
  Fixture f;
  const int64_t k = kMaxInt8Depth;
  const std::vector<float> ones(static_cast<size_t>(k), 1.f);
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    PackedInt8Weight packed;
    packed.pack_nt(f.ex, Matrix<const float>(ones.data(), 1, k));
    float y = 0;
    gemm_int8(f.ex, Matrix<float>(&y, 1, 1), Matrix<const float>(ones.data(), 1, k), packed);
    CHECK(y == doctest::Approx(static_cast<double>(k)));
    CHECK_THROWS_AS(packed.pack_nt(f.ex, Matrix<const float>(ones.data(), 1, k + 1)), Error);
  }
}

TEST_CASE("an int8 row alone equals the row among many; zero rows, bias, residual and threads") {
  const int64_t m = 301, n = 211, k = 333;
  auto x = random_floats(m * k, 3), w = random_floats(n * k, 4), bias = random_floats(n, 5);
  std::fill_n(x.begin(), k, 0.f);
  for (Isa isa : isas()) {
    CAPTURE(isa_name(isa));
    IsaScope scope(isa);
    Fixture one(1), eight(8);
    PackedInt8Weight packed;
    packed.pack_nt(one.ex, Matrix<const float>(w.data(), n, k));
    Epilogue<float> e;
    e.bias = bias.data();
    std::vector<float> all(static_cast<size_t>(m * n)), some(all.size()), shared(all.size());
    const Matrix<const float> rows(x.data(), m, k);
    gemm_int8(one.ex, Matrix<float>(all.data(), m, n), rows, packed, e);
    eight.until_shared([&] { gemm_int8(eight.ex, Matrix<float>(shared.data(), m, n), rows, packed, e); });
    CHECK(std::memcmp(all.data(), shared.data(), all.size() * sizeof(float)) == 0);
    CHECK(eight.parallel.stats().workers >= 2);
    CHECK(eight.parallel.stats().least_tiles >= 3);
    for (int64_t i = 0; i < m; ++i) {
      gemm_int8(one.ex, Matrix<float>(some.data() + i * n, 1, n), Matrix<const float>(x.data() + i * k, 1, k), packed,
                e);
    }
    CHECK(std::memcmp(all.data(), some.data(), all.size() * sizeof(float)) == 0);
    CHECK(std::memcmp(all.data(), bias.data(), static_cast<size_t>(n) * sizeof(float)) == 0);
    e.residual = Matrix<const float>(all.data(), m, n);
    gemm_int8(one.ex, Matrix<float>(some.data(), m, n), rows, packed, e);
    for (size_t i = 0; i < all.size(); ++i) REQUIRE(some[i] == all[i] + all[i]);
  }
}
