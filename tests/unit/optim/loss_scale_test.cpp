#include "optim/loss_scale.h"

#include <doctest/doctest.h>

#include <vector>

using namespace llmkit;

TEST_CASE("the loss scale halves at each overflow, doubles after a run of good steps, and stays in its bounds") {
  optim::LossScaler scaler(3);
  std::vector<double> trace;
  std::vector<bool> applied;
  for (bool finite : {false, false, true, true, false, true, true, true, true}) {
    applied.push_back(scaler.judge(finite));
    trace.push_back(scaler.scale());
  }
  CHECK(trace == std::vector<double>{32768, 16384, 16384, 16384, 8192, 8192, 8192, 16384, 16384});
  CHECK(applied == std::vector<bool>{false, false, true, true, false, true, true, true, true});
  CHECK(scaler.state().good_steps == 1);

  optim::LossScaler resumed(3);
  resumed.restore(scaler.state());
  resumed.judge(true);
  resumed.judge(true);
  CHECK(resumed.scale() == 32768);

  for (int i = 0; i < 100; ++i) resumed.judge(false);
  CHECK(resumed.scale() == 1);
  for (int i = 0; i < 300; ++i) resumed.judge(true);
  CHECK(resumed.scale() == 16777216);
}
