// What every stage is given by the command line: the thread pool, the stop request, the seed and a place for notes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/communicator.h"
#include "base/parallel.h"

namespace llmkit {

// Set by SIGINT/SIGTERM. Stages look at it between batches, finish what they hold and return early.
class StopFlag {
 public:
  bool requested() const { return count_.load(std::memory_order_relaxed) > 0; }
  void request() { count_.fetch_add(1, std::memory_order_relaxed); }
  // SIGUSR1: save a checkpoint and go on. True once for each time that it was asked.
  void request_save() { save_.store(true, std::memory_order_relaxed); }
  bool take_save_request() { return save_.exchange(false, std::memory_order_relaxed); }

 private:
  std::atomic<int> count_{0};
  std::atomic<bool> save_{false};
};

// Progress of the running stage; the command line draws it (bar on a terminal, a line every 30 s elsewhere).
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  // `done` of `total` (0 = unknown) in `unit` ("bytes", "documents", "steps"); `note` is shown behind it.
  virtual void update(double done, double total, std::string_view unit, std::string_view note) = 0;
  // One more point of the curve that a terminal shows above the bar: the loss of a step.
  virtual void point(double /*x*/, double /*y*/) {}
};

struct Context {
  Parallel& parallel;
  StopFlag& stop;
  ProgressSink& progress;
  uint64_t seed = 0;
  uint64_t memory_bytes = 0;      // --memory; 0 = the stage's own default
  bool force = false;             // --force: outputs may replace what is there
  Communicator& ranks = alone();  // the processes that share the work (stages that can)
};

}  // namespace llmkit
