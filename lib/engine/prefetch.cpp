#include "engine/prefetch.h"

#include <algorithm>

namespace llmkit::engine {

Prefetch::~Prefetch() {
  stop();
}

void Prefetch::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  ready_.clear();
  stopping_ = false;
}

void Prefetch::start(int64_t step, int64_t micro) {
  stop();
  next_step_ = step;
  next_micro_ = micro;
  thread_ = std::thread([this, step, micro] { work(step, micro); });
}

void Prefetch::go_on(int64_t& step, int64_t& micro) const {
  for (++micro;; ++step, micro = 0) {
    int64_t n = source_.begin(step).micro_batches;
    micro = std::max(micro, part_ * n / parts_);
    if (micro < (part_ + 1) * n / parts_) return;
  }
}

void Prefetch::work(int64_t step, int64_t micro) {
  for (bool failed = false; !failed;) {
    Item item;
    item.step = step;
    item.micro = micro;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || ready_.size() < depth_; });
      if (stopping_) return;
      if (!spare_.empty()) {
        item.batch = std::move(spare_.front());
        spare_.pop_front();
      }
    }
    try {
      source_.micro_batch(step, micro, item.batch);
      go_on(step, micro);
    } catch (...) {  // told to whoever asks for this batch
      item.failure = std::current_exception();
      failed = true;
    }
    {
      std::lock_guard lock(mutex_);
      ready_.push_back(std::move(item));
    }
    changed_.notify_all();
  }
}

void Prefetch::micro_batch(int64_t step, int64_t micro, LmBatch& batch) {
  if (!thread_.joinable() || step != next_step_ || micro != next_micro_) start(step, micro);
  Item item;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty(); });
    item = std::move(ready_.front());
    ready_.pop_front();
    spare_.push_back(std::move(batch));
  }
  changed_.notify_all();
  if (item.failure) {
    stop();
    std::rethrow_exception(item.failure);
  }
  next_step_ = step;
  next_micro_ = micro;
  go_on(next_step_, next_micro_);
  batch = std::move(item.batch);
}

}  // namespace llmkit::engine
