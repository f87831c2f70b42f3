#include "tensor/tape.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"
#include "kernels/gemm.h"
#include "tensor/ops.h"

using namespace llmkit;

namespace {

std::vector<float> normals(int64_t n, uint64_t key) {
  Rng rng{key};
  std::vector<float> v(static_cast<size_t>(n));
  for (float& x : v) x = static_cast<float>(rng.normal());
  return v;
}

Tensor leaf_of(Tape& tape, const Shape& shape, const std::vector<float>& values) {
  Tensor t = tape.leaf(shape, DType::f32);
  if (!tape.planning()) std::copy(values.begin(), values.end(), t.data<float>());
  return t;
}

// Two layers with a residual: enough for shared inputs, buffers handed over and buffers given back.
struct Net {
  std::vector<float> x = normals(8 * 16, 1), w1 = normals(32 * 16, 2), w2 = normals(16 * 32, 3),
                     table = normals(10 * 16, 4);
  std::vector<int32_t> targets = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<float> weights = std::vector<float>(8, 0.125f);
  Tensor in, a, b, head;
  bool forgetful = false;
  int depth = 1;

  Tensor loss(Tape& tape) {
    in = leaf_of(tape, {8, 16}, x);
    a = leaf_of(tape, {32, 16}, w1);
    b = leaf_of(tape, {16, 32}, w2);
    head = leaf_of(tape, {10, 16}, table);
    Tensor y = in;
    for (int i = 0; i < depth; ++i) {
      Tensor n = ops::norm(tape, y, {}, {}, {ops::NormKind::rms, 1e-5});
      Tensor h = ops::linear(tape, n, a, {{}, {}, ops::Activation::silu});
      if (forgetful) tape.forget(n);
      y = ops::linear(tape, h, b, {{}, y});
      if (forgetful) tape.forget(h);
    }
    return ops::token_loss(tape, y, head, targets, weights);
  }
};

}  // namespace

TEST_CASE("a second step uses the memory of the first and gives the same numbers") {
  Parallel parallel(1);
  Tape tape(parallel);
  Net net;
  std::vector<float> first;
  TapeMemory after_first;
  for (int step = 0; step < 3; ++step) {
    tape.begin(0);
    Tensor loss = net.loss(tape);
    tape.backward(loss);
    std::vector<float> g(net.in.grad<float>(), net.in.grad<float>() + net.in.size());
    if (step == 0) {
      first = g;
      after_first = tape.peak();
    }
    CHECK(g == first);
  }
  CHECK(tape.peak().total() == after_first.total());
  CHECK(after_first.gradients > 0);
}

TEST_CASE("a value that was let go is made again: the same gradients from less memory") {
  Parallel parallel(1);
  std::vector<float> expected;
  size_t memory = 0;
  for (bool forgetful : {false, true}) {
    Net net;
    net.forgetful = forgetful;
    net.depth = 4;
    Tape tape(parallel), plan(parallel, {.planning = true});
    for (int step = 0; step < 2; ++step) {
      tape.begin();
      tape.backward(net.loss(tape));
    }
    std::vector<float> gradients(net.a.grad<float>(), net.a.grad<float>() + net.a.size());
    gradients.insert(gradients.end(), net.in.grad<float>(), net.in.grad<float>() + net.in.size());
    if (!forgetful) {
      expected = gradients;
      memory = tape.peak().gradients;
    }
    CHECK(gradients == expected);
    Net planned;
    planned.forgetful = forgetful;
    planned.depth = 4;
    plan.backward(planned.loss(plan));
    CHECK(plan.peak().gradients == tape.peak().gradients);
    CHECK((!forgetful || 2 * tape.peak().gradients < memory));
  }
}

TEST_CASE("planning counts what the step then uses, without touching data") {
  Parallel parallel(1);
  Tape real(parallel), plan(parallel, {.planning = true});
  Net net;
  for (Tape* tape : {&real, &plan}) {
    tape->begin();
    Tensor loss = net.loss(*tape);
    tape->backward(loss);
  }
  CHECK(plan.peak().activations == real.peak().activations);
  CHECK(plan.peak().gradients == real.peak().gradients);
  CHECK(plan.peak().nodes == real.peak().nodes);
}

TEST_CASE("without recording nothing needs a gradient and backward refuses") {
  Parallel parallel(1);
  Tape tape(parallel, {.recording = false});
  Net net;
  Tensor loss = net.loss(tape);
  CHECK(!loss.needs_grad());
  CHECK_THROWS_AS(tape.backward(loss), Error);
}

TEST_CASE("the gradient of a tensor used several times is the sum over its uses") {
  Parallel parallel(1);
  Tape tape(parallel);
  std::vector<double> ones(4, 1.0);
  tape.begin();
  Tensor x = leaf_of(tape, {4}, {1, 2, 3, 4});
  Tensor y = ops::add(tape, ops::add(tape, x, x), x);  // 3x
  Tensor z = ops::add(tape, y, y);                     // 6x
  tape.backward(ops::weighted_sum(tape, z, ones));
  for (int i = 0; i < 4; ++i) CHECK(x.grad<float>()[i] == 6.0f);
}

TEST_CASE("a view has the elements and passes the gradient") {
  Parallel parallel(1);
  Tape tape(parallel);
  std::vector<double> weights = {1, 2, 3, 4, 5, 6};
  Tensor x = leaf_of(tape, {2, 3}, {1, 2, 3, 4, 5, 6});
  Tensor y = tape.view(x, {3, 2});
  CHECK(y.data<float>() == x.data<float>());
  tape.backward(ops::weighted_sum(tape, y, weights));
  CHECK(x.grad<float>()[4] == 5.0f);
  CHECK_THROWS_AS(tape.view(x, {4, 2}), Error);
}

TEST_CASE("a scope gives its memory back and forgets what was recorded in it") {
  Parallel parallel(1);
  Tape tape(parallel);
  tape.begin();
  Tensor x = leaf_of(tape, {4}, {1, 2, 3, 4});
  size_t before = tape.memory_in_use();
  {
    Tape::Scope scope(tape);
    ops::add(tape, x, x);
    CHECK(tape.memory_in_use() > before);
  }
  CHECK(tape.memory_in_use() == before);
  std::vector<double> ones(4, 1.0);
  tape.backward(ops::weighted_sum(tape, x, ones));
  CHECK(x.grad<float>()[0] == 1.0f);
}

TEST_CASE("a loss that was scaled before the backward is refused by the op that knows its gradient beforehand") {
  Parallel parallel(1);
  Tape tape(parallel);
  Net net;
  Tensor loss = net.loss(tape);
  CHECK_THROWS_AS(tape.backward(loss, 2.0), Error);
}

TEST_CASE("wrong shapes are told with both shapes") {
  Parallel parallel(1);
  Tape tape(parallel);
  Tensor x = leaf_of(tape, {2, 3}, std::vector<float>(6)), w = leaf_of(tape, {4, 5}, std::vector<float>(20));
  CHECK_THROWS_WITH_AS(ops::linear(tape, x, w), doctest::Contains("[2, 5]"), Error);
  std::vector<int32_t> ids = {0, 4};
  CHECK_THROWS_WITH_AS(ops::embedding(tape, w, ids), doctest::Contains("0 to 3"), Error);
}

#ifndef NDEBUG
TEST_CASE("a debug build notices a tensor whose memory was released") {
  Parallel parallel(1);
  Tape tape(parallel);
  Tensor stale;
  {
    Tape::Scope scope(tape);
    stale = leaf_of(tape, {4}, {1, 2, 3, 4});
  }
  leaf_of(tape, {4}, {1, 2, 3, 4});
  CHECK_THROWS_AS(stale.shape(), Error);
}
#endif

TEST_CASE("dropout keeps the expected share and depends on the sequence, not on how sequences are grouped") {
  Parallel parallel(1);
  Tape tape(parallel, {.seed = 3});
  tape.begin(17);
  std::vector<float> ones(4 * 1000, 1.0f);
  Tensor x = leaf_of(tape, {4, 1000}, ones);
  Tensor all = ops::dropout(tape, x, {0.25, 8, 4, 2, 1});
  double sum = 0;
  for (int64_t i = 0; i < all.size(); ++i) sum += all.data<float>()[i];
  CHECK(sum / 4000 == doctest::Approx(1.0).epsilon(0.05));
  for (uint64_t s = 0; s < 4; ++s) {
    Tensor row = leaf_of(tape, {1, 1000}, std::vector<float>(1000, 1.0f));
    Tensor alone = ops::dropout(tape, row, {0.25, 8 + s, 1, 2, 1});
    CHECK(std::equal(alone.data<float>(), alone.data<float>() + 1000, all.data<float>() + s * 1000));
  }
  tape.begin(18);
  Tensor later = ops::dropout(tape, leaf_of(tape, {1, 1000}, std::vector<float>(1000, 1.0f)), {0.25, 8, 1, 2, 1});
  CHECK(!std::equal(later.data<float>(), later.data<float>() + 1000, ones.data()));
}
