#include "base/parallel.h"

#include <sched.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/ordered_window.h"
#include "base/tile_pool.h"

namespace llmkit {
namespace {

// Set while a worker is inside a tile, so that nested calls run serially.
thread_local bool inside_tile = false;

constexpr size_t kMostWorkers = 1024;

#ifdef LLMKIT_STD_THREADS
thread_local size_t pipeline_worker = 0;  // 0: none of the pipeline's own threads, which do not outlive it
#endif

size_t this_worker() {
  static std::atomic<size_t> threads_seen{0};
  thread_local const size_t index = threads_seen.fetch_add(1, std::memory_order_relaxed);
#ifdef LLMKIT_STD_THREADS
  if (pipeline_worker > 0) return kMostWorkers - pipeline_worker;
#endif
  return index;
}

struct InsideTile {
  bool before = std::exchange(inside_tile, true);
  ~InsideTile() { inside_tile = before; }
};

// The exception of the lowest tile, so that what is reported does not depend on timing.
class FirstException {
 public:
  void keep(int64_t tile) {
    std::lock_guard lock(mutex_);
    if (tile < tile_) {
      tile_ = tile;
      exception_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::mutex mutex_;
  int64_t tile_ = INT64_MAX;
  std::exception_ptr exception_;
};

int cgroup_quota() {
  double quota = 0, period = 0;
  std::string text;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> text >> period && text != "max")
    quota = std::atof(text.c_str());
  if (quota <= 0) {
    std::ifstream q("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), p("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    q >> quota;
    p >> period;
  }
  return quota > 0 && period > 0 ? std::max(1, static_cast<int>(quota / period + 0.5)) : INT32_MAX;
}

}  // namespace

int available_threads() {
  cpu_set_t set;
  int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                          : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, std::min(cores, cgroup_quota()));
}

// More workers than processors are allowed, so that --threads is what was asked for everywhere. The smallest of all
// living controls counts: there is one for the program, and the arenas are the limit.
void allow_many_workers() {
  static tbb::global_control allow(tbb::global_control::max_allowed_parallelism, kMostWorkers);
}

struct Parallel::Impl {
  explicit Impl(int n) : threads(n), pool(n), arena(n), tiles_of(kMostWorkers) {}

  // Counted by thread: the place of a thread in the arena changes whenever it comes back.
  void count_here() { tiles_of[this_worker() % kMostWorkers].fetch_add(1, std::memory_order_relaxed); }

  int threads;
  TilePool pool;          // for_tiles
  tbb::task_arena arena;  // pipeline
  std::vector<std::atomic<int64_t>> tiles_of;
};

Parallel::Parallel(int threads) : impl_(std::make_unique<Impl>(threads > 0 ? threads : available_threads())) {
  allow_many_workers();
}
Parallel::~Parallel() = default;
int Parallel::threads() const {
  return impl_->threads;
}

ParallelStats Parallel::stats() const {
  ParallelStats s;
  int64_t most = 0;
  for (auto& count : impl_->tiles_of) {
    int64_t n = count.load();
    s.least_tiles = std::max(s.least_tiles, std::min(n, most));
    most = std::max(most, n);
    s.workers += n > 0;
    s.tiles += n;
  }
  return s;
}

void Parallel::for_tiles(int64_t tiles, TileFunction f) {
  if (tiles <= 0) return;
  FirstException failure;
  auto run = [&](int64_t i) {
    if (!inside_tile) impl_->count_here();
    InsideTile guard;
    try {
      f(i);
    } catch (...) {
      failure.keep(i);
    }
  };
  // Also where another thread has the pool just now.
  if (inside_tile || impl_->threads == 1 || tiles == 1 || !impl_->pool.run(tiles, run)) {
    for (int64_t i = 0; i < tiles; ++i) run(i);
  }
  failure.rethrow();
}

namespace {

// Reads while there is room, writes what is finished, and works along where both have to wait. Source and sink stay on
// the calling thread: it is the one that a signal interrupts in a read.
template <class Spawn>
void drive(OrderedWindow& window, size_t max_items, const std::function<void*()>& source,
           const std::function<void(void*)>& sink, const std::function<void(void*)>& drop, Spawn&& spawn) {
  bool more = true;
  try {
    while (more || window.size() > 0) {
      if (window.front_done()) {
        OrderedWindow::Slot slot = window.take_front();
        if (slot.error) {
          drop(slot.item);
          std::rethrow_exception(slot.error);
        }
        sink(slot.item);
      } else if (more && window.size() < max_items) {
        if (void* item = source()) {
          window.add(item);
          spawn();
        } else {
          more = false;
        }
      } else if (!window.work_on_one()) {
        window.wait_for_front();
      }
    }
  } catch (...) {
    window.abandon(drop);
    throw;
  }
}

}  // namespace

void Parallel::run_pipeline(int64_t max_items, const std::function<void*()>& source,
                            const std::function<void(void*)>& work, const std::function<void(void*)>& sink,
                            const std::function<void(void*)>& drop) {
  std::function<void(void*)> counted = [&](void* item) {
    impl_->count_here();
    InsideTile guard;
    work(item);
  };
  OrderedWindow window(counted);
  auto most = static_cast<size_t>(std::max<int64_t>(1, max_items));
  if (inside_tile || impl_->threads == 1) {
    drive(window, 1, source, sink, drop, [] {});
    return;
  }
#ifdef LLMKIT_STD_THREADS
  std::vector<std::thread> pool;
  for (int w = 1; w < impl_->threads; ++w) {
    pool.emplace_back([&, w] {
      pipeline_worker = static_cast<size_t>(w);
      window.work_until_closed();
    });
  }
  auto join = [&] {
    window.close();
    for (auto& t : pool) t.join();
  };
  try {
    drive(window, most, source, sink, drop, [] {});
  } catch (...) {
    join();
    throw;
  }
  join();
#else
  impl_->arena.execute([&] {
    tbb::task_group tasks;
    try {
      drive(window, most, source, sink, drop, [&] { tasks.run([&] { window.work_on_one(); }); });
    } catch (...) {
      tasks.wait();
      throw;
    }
    tasks.wait();
  });
#endif
}

}  // namespace llmkit
