// The items of an ordered pipeline between its source and its sink: a bounded queue in which workers take the oldest
// item that nobody works on, and the owner takes finished items in order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>

namespace llmkit {

class OrderedWindow {
 public:
  struct Slot {
    void* item = nullptr;
    std::exception_ptr error;  // what `work` threw
    enum { waiting, running, done } state = waiting;
  };

  explicit OrderedWindow(const std::function<void(void*)>& work) : work_(work) {}

  size_t size() const { return slots_.size(); }  // the owner's view: only he adds and takes

  void add(void* item) {
    std::lock_guard lock(mutex_);
    slots_.push_back(Slot{item, nullptr, Slot::waiting});
    changed_.notify_one();
  }

  // Works on the oldest waiting item; false where there is none.
  bool work_on_one() {
    Slot* slot = nullptr;
    {
      std::lock_guard lock(mutex_);
      slot = oldest_waiting();
      if (!slot) return false;
      slot->state = Slot::running;
    }
    run(*slot);
    return true;
  }

  // A worker thread's loop, until close().
  void work_until_closed() {
    for (;;) {
      Slot* slot = nullptr;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return closed_ || (slot = oldest_waiting()); });
        if (!slot) return;
        slot->state = Slot::running;
      }
      run(*slot);
    }
  }

  bool front_done() {
    std::lock_guard lock(mutex_);
    return !slots_.empty() && slots_.front().state == Slot::done;
  }
  void wait_for_front() {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return slots_.front().state == Slot::done; });
  }
  Slot take_front() {
    std::lock_guard lock(mutex_);
    Slot slot = std::move(slots_.front());
    slots_.pop_front();
    return slot;
  }

  // No item is begun any more, those that run are awaited, and the rest is handed to `drop`.
  void abandon(const std::function<void(void*)>& drop) {
    std::unique_lock lock(mutex_);
    for (auto& slot : slots_) {
      if (slot.state == Slot::waiting) slot.state = Slot::done;
    }
    finished_.wait(lock, [&] {
      for (auto& slot : slots_) {
        if (slot.state == Slot::running) return false;
      }
      return true;
    });
    for (auto& slot : slots_) drop(slot.item);
    slots_.clear();
  }

  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  Slot* oldest_waiting() {
    for (auto& slot : slots_) {
      if (slot.state == Slot::waiting) return &slot;
    }
    return nullptr;
  }

  void run(Slot& slot) {
    try {
      work_(slot.item);
    } catch (...) {
      slot.error = std::current_exception();
    }
    std::lock_guard lock(mutex_);
    slot.state = Slot::done;
    finished_.notify_all();
  }

  const std::function<void(void*)>& work_;
  std::mutex mutex_;
  std::condition_variable changed_, finished_;
  std::deque<Slot> slots_;  // push_back and pop_front leave references to the others valid
  bool closed_ = false;
};

}  // namespace llmkit
