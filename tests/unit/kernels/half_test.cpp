#include "kernels/half.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "helpers.h"
#include "kernels/bf16.h"
#include "kernels/gemm.h"

namespace llmkit::kernels::test {

TEST_CASE("every half is its own rounding, and what lies between goes to the nearer, on ties to the even one") {
  for (uint32_t bits = 0; bits < 0x7C00; ++bits) {
    float here = half_to_float(static_cast<uint16_t>(bits)), next = half_to_float(static_cast<uint16_t>(bits + 1));
    if (bits + 1 == 0x7C00) next = 65536;  // infinity stands for all from here on
    float middle = here + (next - here) / 2;
    float x[4] = {here, middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 1e9f)}, y[4];
    round_to_half(y, x, 4);
    float above = bits + 1 == 0x7C00 ? INFINITY : next;
    REQUIRE(y[0] == here);
    REQUIRE(y[1] == (bits % 2 == 0 ? here : above));
    REQUIRE(y[2] == here);
    REQUIRE(y[3] == above);
    for (float& v : x) v = -v;
    float z[4];
    round_to_half(z, x, 4);
    for (int i = 0; i < 4; ++i) REQUIRE(std::bit_cast<uint32_t>(z[i]) == (std::bit_cast<uint32_t>(y[i]) | 0x80000000));
  }
  float special[2] = {INFINITY, NAN};
  round_to_half(special, special, 2);
  CHECK(special[0] == INFINITY);
  CHECK(std::isnan(special[1]));
}

TEST_CASE("a half-precision product is the product of the rounded inputs, packed or not") {
  Fixture f;
  const int64_t m = 37, n = 29, k = 51;
  auto a = random_floats(m * k, 1), b = random_floats(n * k, 2);
  auto ra = a, rb = b;
  round_to_half(ra.data(), a.data(), m * k);
  round_to_half(rb.data(), b.data(), n * k);
  CHECK(ra != a);
  std::vector<float> wanted(static_cast<size_t>(m * n)), got(wanted.size()), packed(wanted.size());
  gemm_nt<float>(f.ex, {wanted.data(), m, n}, {ra.data(), m, k}, {rb.data(), n, k});
  gemm_nt<float>(f.ex, {got.data(), m, n}, {a.data(), m, k}, {b.data(), n, k}, {Precision::f16, {}});
  CHECK(got == wanted);
  PackedWeight weight;
  weight.pack_nt(f.ex, {b.data(), n, k}, Precision::f16);
  gemm_packed(f.ex, {packed.data(), m, n}, {a.data(), m, k}, weight);
  CHECK(packed == wanted);
}

}  // namespace llmkit::kernels::test
