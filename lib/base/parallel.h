// The one thread pool. Work is cut into tiles whose number and bounds never depend on the thread count, so the
// same input gives the same bytes for any --threads (design.md 6). Results that are combined are combined in tile
// order, by the caller, after the tiles are done.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace llmkit {

// A reference to a callable `void(int64_t)`; it does not own it and costs no allocation.
class TileFunction {
 public:
  template <class F, class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, TileFunction>>>
  TileFunction(F&& f)  // NOLINT: implicit on purpose, so that a lambda can be passed
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* o, int64_t i) { (*static_cast<std::remove_reference_t<F>*>(o))(i); }) {}
  void operator()(int64_t tile) const { call_(object_, tile); }

 private:
  void* object_;
  void (*call_)(void*, int64_t);
};

// How much parallel work was done: what a "same bytes" test asserts on.
struct ParallelStats {
  int workers = 0;          // workers that ran at least one tile
  int64_t tiles = 0;        // tiles run in all
  int64_t least_tiles = 0;  // the most tiles that two workers ran each; 0 where only one ran any
};

class Parallel {
 public:
  explicit Parallel(int threads = 0);  // 0 = available_threads()
  ~Parallel();
  Parallel(const Parallel&) = delete;
  Parallel& operator=(const Parallel&) = delete;

  int threads() const;

  // Runs f(0) … f(tiles-1), in any order, on the pool; returns when all are done. The first exception (lowest tile)
  // is rethrown. Calls inside f run serially on the same worker (no nesting).
  void for_tiles(int64_t tiles, TileFunction f);

  // Splits [0, n) into ranges of `grain` (the last may be short) and runs f(begin, end) on each.
  template <class F>
  void for_ranges(int64_t n, int64_t grain, F&& f) {
    if (n <= 0) return;
    for_tiles((n + grain - 1) / grain, [&](int64_t tile) { f(tile * grain, std::min(n, (tile + 1) * grain)); });
  }

  // Ordered streaming: `source` (false at the end) fills an item, `work` runs on the pool, `sink` takes it in order;
  // both run on the calling thread. At most `max_items` exist at once. An exception comes after the items before it
  // were sunk.
  template <class T>
  void pipeline(int64_t max_items, std::function<bool(T&)> source, std::function<void(T&)> work,
                std::function<void(T&)> sink) {
    auto erased_source = [&]() -> void* {
      auto item = std::make_unique<T>();
      return source(*item) ? item.release() : nullptr;
    };
    run_pipeline(
        max_items, erased_source, [&](void* p) { work(*static_cast<T*>(p)); },
        [&](void* p) {
          std::unique_ptr<T> item(static_cast<T*>(p));
          sink(*item);
        },
        [](void* p) { delete static_cast<T*>(p); });
  }

  ParallelStats stats() const;

 private:
  void run_pipeline(int64_t max_items, const std::function<void*()>& source, const std::function<void(void*)>& work,
                    const std::function<void(void*)>& sink, const std::function<void(void*)>& drop);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Processors this process may use: the affinity mask and the cgroup quota (v1 and v2), at least 1.
int available_threads();

}  // namespace llmkit
