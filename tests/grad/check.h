// Gradients against central differences, in double. The five-point stencil
//   f'(x) ≈ (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h
// has an error of h⁴, so that h = 1e-3 leaves about 1e-12 of it and 1e-13 of rounding.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tensor/ops.h"

namespace llmkit::test {

constexpr double kMaxRelativeError = 1e-6;

// One setting of an op: shapes of its differentiable inputs and how to call it.
struct GradCase {
  std::string name;
  std::vector<Shape> inputs;
  std::function<Tensor(Tape&, std::span<const Tensor>)> run;
  double avoid = 0;  // inputs keep this distance from 0, where the op has a kink
};

// Normal numbers, the same for the same key.
std::vector<double> random_values(int64_t n, uint64_t key, double avoid = 0);

// The largest error of `analytic` against the differences of f in `values` (perturbed in place and put back),
// relative to the larger of both and to a thousandth of the largest gradient. Looks at no more than `most` elements.
double gradient_error(std::span<double> values, std::span<const double> analytic, const std::function<double()>& f,
                      int64_t most = 400);

// CHECKs every input of the case.
void check_case(const GradCase& c);

}  // namespace llmkit::test
