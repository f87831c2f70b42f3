#include "base/tile_pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace llmkit {
namespace {

void pause_briefly() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// Rounds of watching before sleep, some tens of microseconds; none where threads outnumber processors.
int watch_rounds(int threads) {
  static const int processors = available_threads();
  return threads <= processors ? 2000 : 0;
}

}  // namespace

TilePool::~TilePool() {
  stop_ = true;
  ++calls_;
  calls_.notify_all();
  for (auto& thread : pool_) thread.join();
}

bool TilePool::run_one(int member) {
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  if ((ticket & kCountMask) == 0) return false;
  apart_.settle(member);
  do {
    if ((ticket & kCountMask) == 0) return false;
  } while (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acquire));
  (*function_)(tiles_ - static_cast<int64_t>(ticket & kCountMask));
  if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
  return true;
}

void TilePool::work_until_stopped(int member) {
  const int rounds = watch_rounds(threads_);
  while (!stop_) {
    const uint32_t seen = calls_.load();
    bool worked = false;
    while (run_one(member)) worked = true;
    if (worked) continue;
    for (int i = 0; i < rounds && calls_.load(std::memory_order_relaxed) == seen; ++i) pause_briefly();
    // The order of these two and of their counterparts in run(): either this thread sees the call or the caller the
    // sleeper.
    ++sleepers_;
    calls_.wait(seen);
    --sleepers_;
  }
}

bool TilePool::run(int64_t tiles, TileFunction f) {
  std::unique_lock lock(caller_, std::try_to_lock);
  if (!lock) return false;
  if (pool_.empty()) {
    for (int i = 1; i < threads_; ++i) pool_.emplace_back([this, i] { work_until_stopped(i); });
  }
  function_ = &f;
  tiles_ = tiles;
  unfinished_.store(tiles, std::memory_order_relaxed);
  const uint64_t call = (ticket_.load(std::memory_order_relaxed) >> kCountBits) + 1;
  ticket_.store(call << kCountBits | static_cast<uint64_t>(tiles), std::memory_order_release);
  ++calls_;
  if (sleepers_.load() > 0) calls_.notify_all();
  while (run_one(0)) {
  }
  const int rounds = watch_rounds(threads_);
  for (int i = 0; i < rounds && unfinished_.load(std::memory_order_relaxed) > 0; ++i) pause_briefly();
  for (int64_t left; (left = unfinished_.load(std::memory_order_acquire)) > 0;) unfinished_.wait(left);
  return true;
}

}  // namespace llmkit
