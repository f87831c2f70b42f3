#include "engine/anomaly.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "base/error.h"

using namespace llmkit;
using namespace llmkit::engine;

namespace {
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

void feed_quiet_steps(AnomalyDetector& detector, int count) {
  for (int i = 0; i < count; ++i) REQUIRE(detector.judge(3 + 0.05 * (i % 7), 1 + 0.1 * (i % 5)).reason.empty());
}
}  // namespace

TEST_CASE("a NaN or Inf is never applied and never enters the window") {
  AnomalyDetector detector(AnomalyOptions{});
  feed_quiet_steps(detector, 70);
  for (auto [loss, norm] : {std::pair{kNan, 1.0}, {3.0, kInf}, {3.0, kNan}, {kInf, 1.0}}) {
    auto verdict = detector.judge(loss, norm);
    CHECK_FALSE(verdict.apply);
    CHECK_FALSE(verdict.stop);
    CHECK_FALSE(verdict.reason.empty());
  }
  CHECK(detector.state().losses.size() == 70);
  // Detection still works behind them: a quiet step passes and a spike is seen.
  CHECK(detector.judge(3.1, 1.1).reason.empty());
  CHECK(detector.judge(9.0, 1.1).reason.find("spike") != std::string::npos);
}

TEST_CASE("spikes are applied under log, dropped under skip, gone back from under rewind and end the run under stop") {
  for (auto policy : {AnomalyPolicy::log, AnomalyPolicy::skip, AnomalyPolicy::rewind, AnomalyPolicy::stop}) {
    AnomalyOptions options;
    options.policy = policy;
    AnomalyDetector detector(options);
    feed_quiet_steps(detector, 70);
    auto verdict = detector.judge(3.1, 50);
    CHECK(verdict.reason.find("gradient norm 50 is a spike") == 0);
    CHECK(verdict.apply == (policy == AnomalyPolicy::log));
    CHECK(verdict.rewind == (policy == AnomalyPolicy::rewind));
    CHECK(verdict.stop == (policy == AnomalyPolicy::stop));
  }
}

TEST_CASE("no spike is called while the window is nearly empty, nor for low values") {
  AnomalyDetector detector(AnomalyOptions{});
  feed_quiet_steps(detector, 10);
  CHECK(detector.judge(30, 10).reason.empty());
  feed_quiet_steps(detector, 100);
  CHECK(detector.judge(0.1, 0.01).reason.empty());
}

TEST_CASE("a run of refused steps ends the run under every policy") {
  AnomalyOptions options;
  options.max_consecutive = 5;
  AnomalyDetector detector(options);
  for (int i = 0; i < 4; ++i) REQUIRE_FALSE(detector.judge(kNan, 1).stop);
  CHECK(detector.judge(kNan, 1).stop);
}

TEST_CASE("a restored detector judges like the one it was taken from") {
  AnomalyOptions options;
  options.policy = AnomalyPolicy::skip;
  AnomalyDetector one(options), other(options);
  feed_quiet_steps(one, 100);
  other.restore(one.state());
  for (double loss : {3.1, 3.9, 4.2, 5.0, 3.0, 8.0}) {
    auto a = one.judge(loss, 1.2), b = other.judge(loss, 1.2);
    CHECK(a.reason == b.reason);
    CHECK(a.apply == b.apply);
  }
  CHECK(one.state().losses == other.state().losses);
}
