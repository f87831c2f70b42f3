// Terms of position inside attention against the definition with the whole matrix, which is written out here, and
// turned queries and keys against the op that turns them beforehand. Their gradients:
// tests/grad/ops/attention_test.cpp.
#include <doctest/doctest.h>

#include <cmath>

#include "base/rng.h"
#include "tensor/ops.h"

namespace llmkit {
namespace {

constexpr int64_t kSequences = 2, kLength = 70, kHeads = 4, kKvHeads = 2, kDim = 6, kDistances = 9;
constexpr int64_t kWidth = (kHeads + 2 * kKvHeads) * kDim;
constexpr double kScale = 0.4;

struct Inputs {
  std::vector<double> qkv, bias, keys, values, slopes = {0.5, 0.25, 0.125, 0.0625};
  Inputs() {
    Rng rng{3};
    for (auto [v, n] : {std::pair{&qkv, kSequences * kLength * kWidth},
                        {&bias, kHeads * kDistances},
                        {&keys, kDistances * kDim},
                        {&values, kDistances * kDim}})
      for (int64_t i = 0; i < n; ++i) v->push_back(rng.normal());
  }
};

ops::AttentionOptions plain(bool causal) {
  ops::AttentionOptions o;
  o.sequences = kSequences;
  o.heads = kHeads;
  o.kv_heads = kKvHeads;
  o.head_dim = kDim;
  o.scale = kScale;
  o.causal = causal;
  return o;
}

std::vector<double> materialised(const Inputs& in, bool causal) {
  std::vector<double> out(static_cast<size_t>(kSequences * kLength * kHeads * kDim));
  for (int64_t s = 0; s < kSequences; ++s)
    for (int64_t h = 0; h < kHeads; ++h)
      for (int64_t i = 0; i < kLength; ++i) {
        auto row = [&](int64_t token) { return in.qkv.data() + (s * kLength + token) * kWidth; };
        const double* q = row(i) + h * kDim;
        const int64_t kv = h / (kHeads / kKvHeads);
        double total = 0;
        double* o = out.data() + ((s * kLength + i) * kHeads + h) * kDim;
        for (int64_t j = 0; j < (causal ? i + 1 : kLength); ++j) {
          const int64_t r = std::clamp<int64_t>(i - j + (causal ? 0 : kDistances / 2), 0, kDistances - 1);
          const double *k = row(j) + (kHeads + kv) * kDim, *v = k + kKvHeads * kDim;
          double score = -in.slopes[static_cast<size_t>(h)] * static_cast<double>(i - j) +
                         in.bias[static_cast<size_t>(h * kDistances + r)];
          for (int64_t d = 0; d < kDim; ++d)
            score += kScale * q[d] * (k[d] + in.keys[static_cast<size_t>(r * kDim + d)]);
          const double e = std::exp(score);
          total += e;
          for (int64_t d = 0; d < kDim; ++d) o[d] += e * (v[d] + in.values[static_cast<size_t>(r * kDim + d)]);
        }
        for (int64_t d = 0; d < kDim; ++d) o[d] /= total;
      }
  return out;
}

}  // namespace

TEST_CASE("slopes, biases, relative keys and values equal the definition") {
  Parallel parallel(2);
  const Inputs in;
  for (bool causal : {true, false}) {
    CAPTURE(causal);
    Tape tape(parallel);
    tape.begin();
    ops::AttentionOptions o = plain(causal);
    o.slopes = in.slopes;
    o.score_bias = tape.constant({kHeads, kDistances}, in.bias.data());
    o.key_terms = tape.constant({kDistances, kDim}, in.keys.data());
    o.value_terms = tape.constant({kDistances, kDim}, in.values.data());
    Tensor y = ops::attention(tape, tape.constant({kSequences * kLength, kWidth}, in.qkv.data()), o);
    const std::vector<double> expected = materialised(in, causal);
    for (size_t i = 0; i < expected.size(); ++i)
      CHECK(y.data<double>()[i] == doctest::Approx(expected[i]).epsilon(1e-11));
  }
}

TEST_CASE("queries and keys turned inside attention equal those turned before it") {
  Parallel parallel(1);
  const Inputs in;
  std::vector<double> cos, sin;
  for (int64_t p = 0; p < kLength; ++p)
    for (int d = 0; d < 2; ++d) {
      cos.push_back(std::cos(0.1 * static_cast<double>(p * (d + 1))));
      sin.push_back(std::sin(0.1 * static_cast<double>(p * (d + 1))));
    }
  const ops::RopeTables tables{cos.data(), sin.data(), kLength, 4};
  std::vector<int32_t> positions;
  for (int64_t i = 0; i < kSequences * kLength; ++i) positions.push_back(static_cast<int32_t>(i % kLength));
  Tape tape(parallel);
  tape.begin();
  Tensor qkv = tape.constant({kSequences * kLength, kWidth}, in.qkv.data());
  ops::AttentionOptions o = plain(true);
  Tensor before = ops::attention(
      tape, ops::rope(tape, qkv, tables, positions, {kernels::RopeLayout::rotate_half, kHeads + kKvHeads, kDim, false}),
      o);
  o.rotation = tables;
  Tensor inside = ops::attention(tape, qkv, o);
  for (int64_t i = 0; i < before.size(); ++i)
    CHECK(inside.data<double>()[i] == doctest::Approx(before.data<double>()[i]).epsilon(1e-12));
}

TEST_CASE("tables of another shape and too short rotations are refused") {
  Parallel parallel(1);
  const Inputs in;
  Tape tape(parallel);
  tape.begin();
  Tensor qkv = tape.constant({kSequences * kLength, kWidth}, in.qkv.data());
  ops::AttentionOptions o = plain(true);
  o.key_terms = tape.constant({kDistances * kDim / 2, 2}, in.keys.data());
  CHECK_THROWS_AS(ops::attention(tape, qkv, o), Error);
  o = plain(true);
  o.slopes = {in.slopes.data(), 3};
  CHECK_THROWS_AS(ops::attention(tape, qkv, o), Error);
  o = plain(true);
  o.rotation = {in.qkv.data(), in.qkv.data(), kLength - 1, 4};
  CHECK_THROWS_AS(ops::attention(tape, qkv, o), Error);
}

}  // namespace llmkit
