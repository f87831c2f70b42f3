#include "kernels/gemm.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "helpers.h"
#include "kernels/bf16.h"

using namespace llmkit;
using namespace llmkit::kernels;
using namespace llmkit::kernels::test;

namespace {

enum class Form { nn, nt, tn };

struct Shape {
  int64_t m, n, k;
};

const std::vector<Shape> kShapes = {{1, 1, 1},       {1, 50, 7},   {3, 17, 5},    {7, 48, 64},
                                    {8, 49, 33},     {9, 193, 31}, {16, 32, 512}, {129, 97, 513},
                                    {33, 200, 1100}, {140, 31, 2}, {1030, 49, 20}};

template <class T>
void multiply(Form form, const Exec& ex, Matrix<T> c, Matrix<const T> a, Matrix<const T> b,
              const GemmOptions<T>& options) {
  if (form == Form::nn) gemm_nn<T>(ex, c, a, b, options);
  if (form == Form::nt) gemm_nt<T>(ex, c, a, b, options);
  if (form == Form::tn) gemm_tn<T>(ex, c, a, b, options);
}

// The definition, in double: the oracle of everything here.
std::vector<double> reference(Form form, const Shape& s, const std::vector<float>& a, int64_t lda,
                              const std::vector<float>& b, int64_t ldb, bool rounded) {
  auto value = [&](float x) { return static_cast<double>(rounded ? to_float(to_bf16(x)) : x); };
  std::vector<double> c(static_cast<size_t>(s.m * s.n));
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t j = 0; j < s.n; ++j) {
      double total = 0;
      for (int64_t p = 0; p < s.k; ++p) {
        float x = a[static_cast<size_t>(form == Form::tn ? p * lda + i : i * lda + p)];
        float y = b[static_cast<size_t>(form == Form::nt ? j * ldb + p : p * ldb + j)];
        total += value(x) * value(y);
      }
      c[static_cast<size_t>(i * s.n + j)] = total;
    }
  }
  return c;
}

struct Operands {
  Operands(Form form, const Shape& s, int64_t pad, uint64_t seed) {
    int64_t a_rows = form == Form::tn ? s.k : s.m, a_cols = form == Form::tn ? s.m : s.k;
    int64_t b_rows = form == Form::nt ? s.n : s.k, b_cols = form == Form::nt ? s.k : s.n;
    lda = a_cols + pad;
    ldb = b_cols + pad;
    a = random_floats(a_rows * lda, seed);
    b = random_floats(b_rows * ldb, seed + 1);
    a_view = Matrix<const float>(a.data(), a_rows, a_cols, lda);
    b_view = Matrix<const float>(b.data(), b_rows, b_cols, ldb);
  }
  int64_t lda, ldb;
  std::vector<float> a, b;
  Matrix<const float> a_view, b_view;
};

double tolerance(int64_t k) {
  return 2e-6 * std::sqrt(static_cast<double>(k) + 16);
}

}  // namespace

TEST_CASE("every form, precision and instruction set multiplies as the definition does") {
  Fixture f;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (Form form : {Form::nn, Form::nt, Form::tn}) {
      for (const Shape& s : kShapes) {
        for (Precision precision : {Precision::f32, Precision::bf16}) {
          CAPTURE(isa_name(isa));
          CAPTURE(static_cast<int>(form));
          CAPTURE(s.m);
          CAPTURE(s.n);
          CAPTURE(s.k);
          CAPTURE(static_cast<int>(precision));
          Operands o(form, s, 3, static_cast<uint64_t>(s.m * 31 + s.k));
          auto expected = reference(form, s, o.a, o.lda, o.b, o.ldb, precision == Precision::bf16);
          std::vector<float> c(static_cast<size_t>(s.m * s.n), 99.f);
          GemmOptions<float> options;
          options.precision = precision;
          multiply(form, f.ex, Matrix<float>(c.data(), s.m, s.n), o.a_view, o.b_view, options);
          CHECK(distance(c, expected) < tolerance(s.k));

          options.epilogue.accumulate = true;
          multiply(form, f.ex, Matrix<float>(c.data(), s.m, s.n), o.a_view, o.b_view, options);
          for (double& x : expected) x *= 2;
          CHECK(distance(c, expected) < 2 * tolerance(s.k));
        }
      }
    }
  }
}

TEST_CASE("bf16 products round both inputs as to_bf16 does: ties, overflow and NaN too") {
  Fixture f;
  const std::vector<float> values = {1.00390625f,
                                     1.01171875f,
                                     -1.00390625f,
                                     1.00390637f,
                                     3.4e38f,
                                     -3.4e38f,
                                     1.0e-30f,
                                     std::nanf(""),
                                     std::bit_cast<float>(0x7F800001u),
                                     0.1f,
                                     std::bit_cast<float>(0x7FFFFFFFu),
                                     std::bit_cast<float>(0x3F7FFFFFu),
                                     -0.2f,
                                     std::numeric_limits<float>::infinity()};
  const auto n = static_cast<int64_t>(values.size());
  const float one = 1;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (Form form : {Form::nn, Form::nt, Form::tn}) {
      for (bool as_b : {false, true}) {
        CAPTURE(isa_name(isa));
        CAPTURE(static_cast<int>(form));
        CAPTURE(as_b);
        // k = 1: an outer product of the values and 1.
        const bool a_column = form != Form::tn, b_column = form == Form::nt;
        const Matrix<const float> left(as_b ? &one : values.data(), a_column && !as_b ? n : 1,
                                       !a_column && !as_b ? n : 1);
        const Matrix<const float> right(as_b ? values.data() : &one, b_column && as_b ? n : 1,
                                        !b_column && as_b ? n : 1);
        std::vector<float> c(values.size());
        GemmOptions<float> options;
        options.precision = Precision::bf16;
        multiply(form, f.ex, Matrix<float>(c.data(), as_b ? 1 : n, as_b ? n : 1), left, right, options);
        for (size_t i = 0; i < values.size(); ++i) {
          CAPTURE(values[i]);
          const float expected = to_float(to_bf16(values[i]));
          if (std::isnan(values[i])) {
            CHECK(std::isnan(c[i]));
          } else {
            CHECK(c[i] == expected);
          }
        }
      }
    }
  }
}

TEST_CASE("the double product is exact to double rounding") {
  Fixture f;
  Shape s{13, 21, 130};
  for (Form form : {Form::nn, Form::nt, Form::tn}) {
    Operands o(form, s, 2, 5);
    auto expected = reference(form, s, o.a, o.lda, o.b, o.ldb, false);
    auto a = to_double(o.a), b = to_double(o.b);
    std::vector<double> c(expected.size());
    multiply<double>(form, f.ex, Matrix<double>(c.data(), s.m, s.n),
                     Matrix<const double>(a.data(), o.a_view.rows, o.a_view.cols, o.lda),
                     Matrix<const double>(b.data(), o.b_view.rows, o.b_view.cols, o.ldb), {});
    CHECK(distance(c, expected) < 1e-14);
  }
}

TEST_CASE("a row computed alone equals the same row among many, bit for bit") {
  Fixture f;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (Precision precision : {Precision::f32, Precision::bf16}) {
      CAPTURE(isa_name(isa));
      const int64_t m = 301, n = 211, k = 1037;
      auto x = random_floats(m * k, 1), w = random_floats(n * k, 2), bias = random_floats(n, 3);
      PackedWeight packed;
      packed.pack_nt(f.ex, Matrix<const float>(w.data(), n, k), precision);
      Epilogue<float> epilogue;
      epilogue.bias = bias.data();
      epilogue.activation = Activation::gelu_tanh;
      std::vector<float> all(static_cast<size_t>(m * n)), unpacked(all.size()), some(all.size());
      gemm_packed(f.ex, Matrix<float>(all.data(), m, n), Matrix<const float>(x.data(), m, k), packed, epilogue);
      gemm_nt<float>(f.ex, Matrix<float>(unpacked.data(), m, n), Matrix<const float>(x.data(), m, k),
                     Matrix<const float>(w.data(), n, k), GemmOptions<float>{precision, epilogue});
      CHECK(std::memcmp(all.data(), unpacked.data(), all.size() * sizeof(float)) == 0);
      for (int64_t rows : {1, 2, 5, 9, 40}) {
        for (int64_t begin = 0; begin < m; begin += rows) {
          const int64_t count = std::min(rows, m - begin);
          gemm_packed(f.ex, Matrix<float>(some.data() + begin * n, count, n),
                      Matrix<const float>(x.data() + begin * k, count, k), packed, epilogue);
        }
        CHECK(std::memcmp(all.data(), some.data(), all.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("one thread and eight give the same bytes") {
  const int64_t m = 700, n = 500, k = 400;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (Form form : {Form::nn, Form::nt, Form::tn}) {
      Operands o(form, {m, n, k}, 0, 9);
      std::vector<float> one(static_cast<size_t>(m * n)), eight(one.size());
      {
        Fixture f(1);
        multiply(form, f.ex, Matrix<float>(one.data(), m, n), o.a_view, o.b_view, {});
      }
      Fixture f(8);
      f.until_shared([&] { multiply(form, f.ex, Matrix<float>(eight.data(), m, n), o.a_view, o.b_view, {}); });
      CHECK(std::memcmp(one.data(), eight.data(), one.size() * sizeof(float)) == 0);
      CHECK(f.parallel.stats().workers >= 2);
      CHECK(f.parallel.stats().least_tiles >= 3);
    }
  }
}

TEST_CASE("the sums of A's columns are taken along, of its values before they are rounded, the same for any threads") {
  const int64_t m = 530, n = 50, k = 1301;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (Precision precision : {Precision::f32, Precision::bf16, Precision::f16}) {
      CAPTURE(isa_name(isa));
      CAPTURE(static_cast<int>(precision));
      Operands o(Form::tn, {m, n, k}, 3, 11);
      std::vector<double> expected(static_cast<size_t>(m), 2.0);
      for (int64_t p = 0; p < k; ++p)
        for (int64_t i = 0; i < m; ++i) expected[static_cast<size_t>(i)] += static_cast<double>(o.a_view.row(p)[i]);
      auto sums = [&](int threads) {
        Fixture f(threads);
        std::vector<float> c(static_cast<size_t>(m * n)), result(static_cast<size_t>(m), 2.f);
        GemmOptions<float> options;
        options.precision = precision;
        options.column_sums = result.data();
        gemm_tn<float>(f.ex, Matrix<float>(c.data(), m, n), o.a_view, o.b_view, options);
        return result;
      };
      const auto one = sums(1);
      CHECK(distance(one, expected) < 5e-5);  // rounding to bf16 would be a thousand times more
      CHECK(sums(3) == one);
    }
  }
}

TEST_CASE("an activation of B while it is packed gives the bytes of the activated B") {
  const Shape s{70, 901, 1111};
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (Precision precision : {Precision::f32, Precision::bf16}) {
      CAPTURE(isa_name(isa));
      CAPTURE(static_cast<int>(precision));
      Fixture f(2);
      Operands o(Form::tn, s, 3, 12);
      std::vector<float> activated(static_cast<size_t>(s.k * s.n));
      for (int64_t k = 0; k < s.k; ++k)
        activation_forward<float>(f.ex, Activation::gelu_tanh, activated.data() + k * s.n, o.b_view.row(k), s.n);
      std::vector<float> expected(static_cast<size_t>(s.m * s.n), 1.f), c = expected;
      GemmOptions<float> options;
      options.precision = precision;
      options.epilogue.accumulate = true;
      gemm_tn<float>(f.ex, Matrix<float>(expected.data(), s.m, s.n), o.a_view,
                     Matrix<const float>(activated.data(), s.k, s.n), options);
      options.activation_of_b = Activation::gelu_tanh;
      gemm_tn<float>(f.ex, Matrix<float>(c.data(), s.m, s.n), o.a_view, o.b_view, options);
      CHECK(std::memcmp(c.data(), expected.data(), c.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("the epilogue scales, adds the bias, activates, keeps the argument and adds the residual") {
  Fixture f;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    const Shape s{37, 75, 29};
    Operands o(Form::nt, s, 0, 4);
    auto raw = reference(Form::nt, s, o.a, o.lda, o.b, o.ldb, false);
    auto bias = random_floats(s.n, 6), residual = random_floats(s.m * s.n, 7), start = random_floats(s.m * s.n, 8);
    for (bool accumulate : {false, true}) {
      std::vector<float> c = start, before(c.size());
      Epilogue<float> e;
      e.scale = 0.5f;
      e.bias = bias.data();
      e.activation = Activation::silu;
      e.pre_activation = Matrix<float>(before.data(), s.m, s.n);
      e.residual = Matrix<const float>(residual.data(), s.m, s.n);
      e.accumulate = accumulate;
      gemm_nt<float>(f.ex, Matrix<float>(c.data(), s.m, s.n), o.a_view, o.b_view,
                     GemmOptions<float>{Precision::f32, e});
      std::vector<double> expected(c.size()), argument(c.size());
      for (size_t i = 0; i < c.size(); ++i) {
        argument[i] = 0.5 * raw[i] + bias[i % static_cast<size_t>(s.n)];
        expected[i] = argument[i] / (1 + std::exp(-argument[i])) + residual[i] + (accumulate ? start[i] : 0);
      }
      CHECK(distance(before, argument) < 1e-5);
      CHECK(distance(c, expected) < 1e-5);
    }
    // In place: the residual is the output itself.
    std::vector<float> c = start;
    Epilogue<float> e;
    e.residual = Matrix<const float>(c.data(), s.m, s.n);
    gemm_nt<float>(f.ex, Matrix<float>(c.data(), s.m, s.n), o.a_view, o.b_view, GemmOptions<float>{Precision::f32, e});
    std::vector<double> expected(c.size());
    for (size_t i = 0; i < c.size(); ++i) expected[i] = raw[i] + start[i];
    CHECK(distance(c, expected) < 1e-5);
  }
}
