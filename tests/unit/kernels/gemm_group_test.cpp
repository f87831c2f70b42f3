#include <doctest/doctest.h>

#include "helpers.h"
#include "kernels/gemm.h"

using namespace llmkit;
using namespace llmkit::kernels;
using namespace llmkit::kernels::test;

namespace {
struct Shape {
  int64_t m, n, k;
};
const std::vector<Shape> kShapes = {{5, 70, 33}, {0, 70, 33}, {130, 49, 65}, {1, 200, 7}, {37, 10, 513}};
}  // namespace

TEST_CASE("a batch of products equals the products one by one, bit for bit") {
  Fixture f;
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (GemmForm form : {GemmForm::nn, GemmForm::nt, GemmForm::tn}) {
      for (Precision precision : {Precision::f32, Precision::bf16}) {
        CAPTURE(isa_name(isa));
        CAPTURE(static_cast<int>(form));
        std::vector<std::vector<float>> a, b, together, alone;
        std::vector<GemmProduct<float>> products;
        GemmOptions<float> options;
        options.precision = precision;
        for (const Shape& s : kShapes) {
          a.push_back(random_floats(s.m * s.k, 1 + static_cast<uint64_t>(s.k)));
          b.push_back(random_floats(s.n * s.k, 2 + static_cast<uint64_t>(s.k)));
          together.emplace_back(static_cast<size_t>(s.m * s.n));
          alone.emplace_back(static_cast<size_t>(s.m * s.n));
          const Matrix<const float> av = form == GemmForm::tn ? Matrix<const float>(a.back().data(), s.k, s.m)
                                                              : Matrix<const float>(a.back().data(), s.m, s.k);
          const Matrix<const float> bv = form == GemmForm::nt ? Matrix<const float>(b.back().data(), s.n, s.k)
                                                              : Matrix<const float>(b.back().data(), s.k, s.n);
          products.push_back({Matrix<float>(together.back().data(), s.m, s.n), av, bv});
          const Matrix<float> c(alone.back().data(), s.m, s.n);
          if (form == GemmForm::nn) gemm_nn<float>(f.ex, c, av, bv, options);
          if (form == GemmForm::nt) gemm_nt<float>(f.ex, c, av, bv, options);
          if (form == GemmForm::tn) gemm_tn<float>(f.ex, c, av, bv, options);
        }
        gemm_batch<float>(f.ex, form, products, options);
        CHECK(together == alone);
      }
    }
  }
}

TEST_CASE("grouped products equal the products one by one, also on eight threads") {
  for (Isa isa : isas()) {
    IsaScope scope(isa);
    for (Precision precision : {Precision::f32, Precision::bf16}) {
      CAPTURE(isa_name(isa));
      Fixture one(1), eight(8);
      std::vector<PackedWeight> weights(kShapes.size());
      std::vector<std::vector<float>> a, together(kShapes.size()), alone(kShapes.size());
      std::vector<PackedProduct> products;
      const auto bias = random_floats(200, 9);
      Epilogue<float> epilogue;
      epilogue.bias = bias.data();
      for (size_t i = 0; i < kShapes.size(); ++i) {
        const Shape& s = kShapes[i];
        const auto w = random_floats(s.n * s.k, 4 + i);
        weights[i].pack_nt(one.ex, Matrix<const float>(w.data(), s.n, s.k), precision);
        CHECK(weights[i].bytes() == PackedWeight::bytes_for(s.n, s.k, precision));
        a.push_back(random_floats(s.m * s.k, 5 + i));
        together[i].resize(static_cast<size_t>(s.m * s.n));
        alone[i].resize(static_cast<size_t>(s.m * s.n));
        const Matrix<const float> rows(a.back().data(), s.m, s.k);
        products.push_back({Matrix<float>(together[i].data(), s.m, s.n), rows, &weights[i], epilogue});
        gemm_packed(one.ex, Matrix<float>(alone[i].data(), s.m, s.n), rows, weights[i], epilogue);
      }
      eight.until_shared([&] { gemm_grouped(eight.ex, products); });
      CHECK(together == alone);
      CHECK(eight.parallel.stats().workers >= 2);
      CHECK(eight.parallel.stats().least_tiles >= 3);
    }
  }
}
