// Makes the next micro-batches on a thread of its own while the model computes. A batch is a function of (step, micro)
// alone, so a batch made ahead is the batch; when another one is asked for (after a rewind), the thread starts over
// from there.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "engine/loader.h"

namespace llmkit::engine {

class Prefetch final : public BatchSource {
 public:
  // `source` must outlive this, and must allow validation_batch beside micro_batch. `depth` batches are held ready.
  // Of `parts` processes that share each step's micro-batches, this is number `part`.
  explicit Prefetch(BatchSource& source, size_t depth = 3, int64_t part = 0, int64_t parts = 1)
      : source_(source), depth_(depth), part_(part), parts_(parts) {}
  ~Prefetch() override;

  StepShape begin(int64_t step) override { return source_.begin(step); }
  void micro_batch(int64_t step, int64_t micro, LmBatch& batch) override;
  std::vector<std::string> sources() const override { return source_.sources(); }
  int64_t validation_batches() const override { return source_.validation_batches(); }
  void validation_batch(int64_t index, LmBatch& batch) override { source_.validation_batch(index, batch); }

 private:
  struct Item {
    int64_t step = 0, micro = 0;
    LmBatch batch;
    std::exception_ptr failure;
  };
  void start(int64_t step, int64_t micro);
  void stop();
  void work(int64_t step, int64_t micro);
  void go_on(int64_t& step, int64_t& micro) const;  // to the next that this process is going to ask for

  BatchSource& source_;
  size_t depth_;
  int64_t part_, parts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> ready_;
  std::deque<LmBatch> spare_;  // given back: their memory is used again
  bool stopping_ = false;
  int64_t next_step_ = -1, next_micro_ = -1;  // what the front of ready_ is or will be
  std::thread thread_;
};

}  // namespace llmkit::engine
